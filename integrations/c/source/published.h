/* Kernels that the daemon has published in a folder, found without asking it. */
#ifndef GRANARY_PUBLISHED_H
#define GRANARY_PUBLISHED_H

#include <stdbool.h>

#include "table.h"

/* Loads the kernel that is published in a folder for a spec, and notes its use by the time of its file. Returns false when there
 * is none that may be used; the daemon is then asked. */
bool granary_published_find(const granary_question *question, const char *path, granary_kernel **kernel);

#endif
