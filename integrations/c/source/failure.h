/* Statuses with a message for the thread that they happened on. */
#ifndef GRANARY_FAILURE_H
#define GRANARY_FAILURE_H

#include <stdint.h>

#include "granary.h"

/* Remembers the message for granary_message() and returns the status. */
int32_t granary_fail(int32_t status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
