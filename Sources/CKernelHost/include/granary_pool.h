/* A fork-join thread pool that serves as a kernel's parallel_for: threads spin, then sleep on a futex. */
#ifndef GRANARY_POOL_H
#define GRANARY_POOL_H

#include "granary_kernel.h"

typedef struct granary_pool granary_pool;

/* A pool of thread_count threads, of which the caller is one. NULL when threads cannot be started. */
granary_pool *granary_pool_create(int32_t thread_count);
/* The context to give to kernels; valid as long as the pool. Only one thread at a time may use it. */
const granary_context *granary_pool_context(granary_pool *pool);
/* Calls a kernel on the context's threads, or on as many as the kernel's workspace has room for. *most is what is known
 * of that: INT32_MAX before a kernel's first call, for whose other calls it is kept. Threads may share it. */
int32_t granary_call_within(granary_kernel_function function, const void *const *inputs, void *const *outputs,
                            void *workspace, const granary_context *context, int32_t *most);
/* Gives each thread, the caller's included, a processor of its own for good, so that none waits for another.
 * Returns 0; or -1 when there are too few processors, and leaves the threads as they are. */
int granary_pool_pin(granary_pool *pool);
/* Has the threads stop looking for work and sleep until there is some; returns when they do. */
void granary_pool_rest(granary_pool *pool);
/* Ends the threads and frees the pool. */
void granary_pool_destroy(granary_pool *pool);

#endif
