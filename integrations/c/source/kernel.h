/* A kernel: how it is described, loaded and kept. */
#ifndef GRANARY_KERNEL_OBJECT_H
#define GRANARY_KERNEL_OBJECT_H

#include <stdatomic.h>

#include "granary.h"
#include "json.h"

struct granary_kernel {
  granary_description description;
  granary_kernel_function function;
  /* What dlopen gave. */
  void *object;
  /* A workspace that no call uses, or NULL. */
  _Atomic(void *) workspace;
};

/* Makes a kernel from the daemon's answer for one spec, not yet loaded. */
int32_t granary_kernel_describe(json answer, granary_kernel **kernel);

/* Loads the bytes of the kernel's artifact into this process, after comparing them with its digest. */
int32_t granary_kernel_load(granary_kernel *kernel, const char *bytes, size_t count, json answer);

void granary_kernel_discard_description(granary_description *description);

/* Frees a kernel that nobody has seen. */
void granary_kernel_discard(granary_kernel *kernel);

#endif
