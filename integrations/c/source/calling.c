#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "counting.h"
#include "failure.h"
#include "granary_pool.h"
#include "kernel.h"

static granary_pool *pool;
/* Taken by the one call that uses the pool. */
static atomic_flag pool_taken = ATOMIC_FLAG_INIT;
static _Atomic int32_t wanted_threads;
/* The host's OpenMP runtime; kernels run on its threads while it is set. */
static _Atomic(granary_region) openmp_region;
static _Atomic(granary_thread_count) openmp_threads;
static pthread_once_t fork_watched = PTHREAD_ONCE_INIT;

void granary_set_threads(int32_t count) { wanted_threads = count; }

static int32_t thread_count(void) {
  int32_t wanted = wanted_threads;
  if (wanted > 0) return wanted;
  cpu_set_t processors;
  return sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 1;
}

/* Threads do not survive a fork: the child makes a pool of its own, and leaves the memory of the old one. An OpenMP
 * runtime may wait for ever for the threads of its parent. */
static void forget_pool(void) {
  if (openmp_region) {
    openmp_region = NULL;
    wanted_threads = 1;
  }
  pool = NULL;
  atomic_flag_clear(&pool_taken);
}

static void watch_fork(void) { pthread_atfork(NULL, NULL, forget_pool); }

void granary_use_openmp(granary_region region, granary_thread_count thread_count) {
  pthread_once(&fork_watched, watch_fork);
  openmp_threads = thread_count;
  openmp_region = thread_count ? region : NULL;
}

typedef struct {
  granary_body body;
  void *argument;
  int64_t count;
  _Atomic int64_t next;
  _Atomic int32_t threads;
} loop;

static void run_share(void *argument) {
  loop *shared = argument;
  int32_t thread = atomic_fetch_add_explicit(&shared->threads, 1, memory_order_relaxed);
  int64_t index;
  while ((index = atomic_fetch_add_explicit(&shared->next, 1, memory_order_relaxed)) < shared->count)
    shared->body(shared->argument, index, thread);
}

static void run_in_region(const granary_context *context, int64_t count, granary_body body, void *argument) {
  loop shared = {body, argument, count, 0, 0};
  int64_t threads = count < context->thread_count ? count : context->thread_count;
  granary_region region = (granary_region)context->host;
  if (threads > 1) region(run_share, &shared, (unsigned)threads, 0);
  else run_share(&shared);
}

/* The pool's threads take no signal: handlers of the host run on the host's threads. */
static granary_pool *start_pool(void) {
  sigset_t all, before;
  pthread_once(&fork_watched, watch_fork);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  granary_pool *made = granary_pool_create(thread_count());
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return made;
}

static void run_serially(const granary_context *context, int64_t count, granary_body body, void *argument) {
  (void)context;
  for (int64_t index = 0; index < count; index++) body(argument, index, 0);
}

static int32_t call_serially(granary_kernel *kernel, const void *const *inputs, void *const *outputs, void *workspace) {
  granary_context context = {sizeof context, 1, run_serially, NULL};
  granary_counted(serial_calls);
  return kernel->function(inputs, outputs, workspace, &context);
}

/* Only by whoever has taken the pool. */
static void fit_pool(void) {
  int32_t wanted = wanted_threads;
  if (pool && wanted > 0 && granary_pool_context(pool)->thread_count != wanted) {
    granary_pool_destroy(pool);
    pool = NULL;
  }
  if (!pool) pool = start_pool();
}

static int32_t call(granary_kernel *kernel, const void *const *inputs, void *const *outputs, void *workspace) {
  granary_region region = openmp_region;
  if (region) {
    granary_context context = {sizeof context, openmp_threads(), run_in_region, (void *)region};
    if (context.thread_count > 1)
      return granary_call_within(kernel->function, inputs, outputs, workspace, &context, &kernel->most_threads);
  } else if (!atomic_flag_test_and_set_explicit(&pool_taken, memory_order_acquire)) {
    fit_pool();
    int32_t status = GRANARY_TOO_MANY_THREADS;
    if (pool)
      status = granary_call_within(kernel->function, inputs, outputs, workspace, granary_pool_context(pool),
                                   &kernel->most_threads);
    atomic_flag_clear_explicit(&pool_taken, memory_order_release);
    if (status != GRANARY_TOO_MANY_THREADS) return status;
  }
  return call_serially(kernel, inputs, outputs, workspace);
}

static void *take_workspace(granary_kernel *kernel) {
  void *kept = atomic_exchange(&kernel->workspace, NULL), *made = NULL;
  if (kept) return kept;
  size_t alignment = kernel->description.alignment_bytes < 64 ? 64 : (size_t)kernel->description.alignment_bytes;
  size_t size = (size_t)kernel->description.workspace_bytes;
  return posix_memalign(&made, alignment, size ? size : 1) == 0 ? made : NULL;
}

static void return_workspace(granary_kernel *kernel, void *workspace) {
  void *none = NULL;
  if (!atomic_compare_exchange_strong(&kernel->workspace, &none, workspace)) free(workspace);
}

/* A tensor without elements needs no buffer. */
static int32_t check_buffers(const void *const *buffers, const granary_tensor *tensors, int32_t count,
                             int64_t alignment, const char *kind) {
  for (int32_t i = 0; i < count; i++) {
    if (!buffers || (!buffers[i] && tensors[i].bytes > 0)) return granary_fail(GRANARY_BAD_ARGUMENT, "%s %d is a null pointer", kind, i);
    if ((uintptr_t)buffers[i] % (uintptr_t)alignment != 0)
      return granary_fail(GRANARY_BAD_ARGUMENT, "%s %d is not aligned to %lld bytes", kind, i, (long long)alignment);
  }
  return GRANARY_OK;
}

/* Calls with buffers that were checked. */
static int32_t call_checked(granary_kernel *kernel, const void *const *inputs, void *const *outputs) {
  void *workspace = take_workspace(kernel);
  if (!workspace)
    return granary_fail(GRANARY_ENVIRONMENT, "no memory for a workspace of %lld bytes",
                        (long long)kernel->description.workspace_bytes);
  granary_counted(calls);
  int32_t status = call(kernel, inputs, outputs, workspace);
  return_workspace(kernel, workspace);
  if (status == GRANARY_INDEX_OUT_OF_RANGE)
    granary_fail(status, "an index in an input lies outside its table");
  else if (status == GRANARY_SIZE_REFUSED)
    granary_fail(status, "the kernel was not made for these sizes");
  else if (status != GRANARY_OK)
    granary_fail(status, "the kernel failed with status %d", status);
  return status;
}

static int32_t check_all(const granary_kernel *kernel, const void *const *inputs, void *const *outputs) {
  const granary_description *description = &kernel->description;
  int32_t status = check_buffers(inputs, description->inputs, description->input_count,
                                 description->alignment_bytes, "input");
  if (status != GRANARY_OK) return status;
  return check_buffers((const void *const *)outputs, description->outputs, description->output_count,
                       description->alignment_bytes, "output");
}

int32_t granary_call(granary_kernel *kernel, const void *const *inputs, void *const *outputs) {
  if (!kernel) return granary_fail(GRANARY_BAD_ARGUMENT, "the kernel is a null pointer");
  if (kernel->open_sizes)
    return granary_fail(GRANARY_BAD_ARGUMENT, "the spec leaves sizes open: use granary_call_sized");
  int32_t status = check_all(kernel, inputs, outputs);
  return status == GRANARY_OK ? call_checked(kernel, inputs, outputs) : status;
}

int32_t granary_call_sized(granary_kernel *kernel, const int64_t *sizes, const void *const *inputs,
                           void *const *outputs) {
  enum { FEW = 32 };
  if (!kernel) return granary_fail(GRANARY_BAD_ARGUMENT, "the kernel is a null pointer");
  if (!kernel->open_sizes) return granary_call(kernel, inputs, outputs);
  int32_t status = granary_sizes_check(kernel, sizes);
  if (status == GRANARY_OK) status = check_all(kernel, inputs, outputs);
  if (status != GRANARY_OK) return status;
  size_t count = (size_t)kernel->description.input_count;
  const void *few[FEW], **all = count < FEW ? few : malloc((count + 1) * sizeof *all);
  if (!all) return granary_fail(GRANARY_ENVIRONMENT, "no memory for %zu pointers", count + 1);
  if (count) memcpy(all, inputs, count * sizeof *all);
  all[count] = sizes;
  status = call_checked(kernel, all, outputs);
  if (all != few) free(all);
  return status;
}

int32_t granary_call_packed(granary_kernel *kernel, const void *const *buffers) {
  if (!kernel || !buffers) return granary_fail(GRANARY_BAD_ARGUMENT, "the kernel or its buffers are a null pointer");
  return granary_call(kernel, buffers, (void *const *)(buffers + kernel->description.input_count));
}

int32_t granary_run(const char *spec, const granary_options *options, const void *const *inputs, void *const *outputs,
                    granary_fallback fallback, void *argument) {
  granary_kernel *kernel;
  int32_t status = granary_get(spec, options, &kernel);
  if (status == GRANARY_OK) status = granary_call(kernel, inputs, outputs);
  if (status == GRANARY_OK || status == GRANARY_INDEX_OUT_OF_RANGE || !fallback) return status;
  granary_counted(fallbacks);
  return fallback(argument, inputs, outputs);
}

const granary_description *granary_describe(const granary_kernel *kernel) { return &kernel->description; }
