/* The kernel ABI of Granary, version 1: how a host calls a compiled kernel.
 *
 * A kernel is one function of type granary_kernel_function in a shared object. The caller owns every buffer:
 * inputs and outputs in the order of the spec, each at least as aligned as the manifest asks, inputs laid out
 * by the strides of their types, outputs contiguous, and a workspace of the size in the manifest. A kernel
 * keeps no state between calls, allocates nothing and starts no thread of its own. */
#ifndef GRANARY_KERNEL_H
#define GRANARY_KERNEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRANARY_KERNEL_ABI 1
/* A kernel of a spec that leaves sizes open: the same, with one more pointer behind those of the inputs, to the sizes,
 * an int64_t for each. Buffers are as large as the sizes make them; the workspace suffices for all. */
#define GRANARY_FAMILY_ABI 2

/* Status codes that a kernel returns. */
#define GRANARY_OK 0
/* An index that was read from an input lies outside its table; outputs are unspecified. */
#define GRANARY_INDEX_OUT_OF_RANGE 1
/* The host has more threads than the workspace has room for; nothing was written. */
#define GRANARY_TOO_MANY_THREADS 2
/* The kernel was not made for the sizes that it was called with; nothing was written. */
#define GRANARY_SIZE_REFUSED 3

/* The body of a parallel loop: one iteration, on thread 0 ..< thread_count. */
typedef void (*granary_body)(void *argument, int64_t index, int32_t thread);

/* What the host gives to a kernel. */
typedef struct granary_context {
  /* sizeof(granary_context) of the host. */
  uint32_t size;
  /* How many threads parallel_for uses at most; the workspace has room for per-thread parts of this many. */
  int32_t thread_count;
  /* Runs body(argument, index, thread) for every index in 0 ..< count and returns when all are done.
   * Iterations run in any order; those of one thread run one after the other. Not reentrant. */
  void (*parallel_for)(const struct granary_context *context, int64_t count, granary_body body, void *argument);
  /* The host's own. */
  void *host;
} granary_context;

typedef int32_t (*granary_kernel_function)(const void *const *inputs, void *const *outputs, void *workspace,
                                           const granary_context *context);

#ifdef __cplusplus
}
#endif
#endif
