/* A kernel: how it is described, loaded and kept. */
#ifndef GRANARY_KERNEL_OBJECT_H
#define GRANARY_KERNEL_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "granary.h"
#include "json.h"

struct granary_kernel {
  granary_description description;
  granary_kernel_function function;
  /* What the interface says of open sizes, as JSON; NULL for a spec of one shape. */
  char *open_sizes;
  /* What dlopen gave. */
  void *object;
  /* A workspace that no call uses, or NULL. */
  _Atomic(void *) workspace;
  /* On how many threads it can run, as far as calls have shown. */
  int32_t most_threads;
};

/* Makes a kernel from the daemon's answer for one spec, not yet loaded. */
int32_t granary_kernel_describe(json answer, granary_kernel **kernel);

/* Loads the bytes of the kernel's artifact into this process, after comparing them with its digest. */
int32_t granary_kernel_load(granary_kernel *kernel, const char *bytes, size_t count, json answer);

/* Reads what the interface says of open sizes, if anything. */
bool granary_sizes_read(json interface, granary_kernel *kernel);

/* GRANARY_OK when each size is within its range. */
int32_t granary_sizes_check(const granary_kernel *kernel, const int64_t *sizes);

void granary_kernel_discard_description(granary_description *description);

/* Frees a kernel that nobody has seen. */
void granary_kernel_discard(granary_kernel *kernel);

#endif
