/* What the process knows about specs: a kernel, or why there was none. */
#ifndef GRANARY_TABLE_H
#define GRANARY_TABLE_H

#include <stdbool.h>

#include "granary.h"

/* What identifies an entry. */
typedef struct granary_question {
  const char *spec;
  const char *socket;
  const char *policy;
} granary_question;

/* What is known for a question.
 *
 * Returns whether anything is known that holds now: *kernel, or the status of a failure that is not to be tried
 * again yet, with its message. */
bool granary_table_find(const granary_question *question, granary_kernel **kernel, int32_t *status);

/* Keeps a kernel and returns the one to use: another thread may have brought the same artifact first, and then the
 * given one is freed. */
granary_kernel *granary_table_keep(const granary_question *question, granary_kernel *kernel);

/* Remembers the failure with this thread's message until a time of granary_now(). */
void granary_table_fail(const granary_question *question, int32_t status, int64_t until);

#endif
