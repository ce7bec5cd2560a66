/* Questions to the daemon. */
#ifndef GRANARY_ASKING_H
#define GRANARY_ASKING_H

#include "table.h"

/* Asks for kernels of many specs and loads them. The questions have one socket and one policy. Sets every status and
 * kernel. Returns the failure of the daemon as a whole, which is then the status of every question too. */
int32_t granary_ask(const granary_question *questions, size_t count, int64_t deadline, granary_kernel **kernels,
                    int32_t *statuses);

#endif
