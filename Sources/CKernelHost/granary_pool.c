#define _GNU_SOURCE
#include "granary_pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often a thread looks for work before it sleeps: about 50 microseconds. */
enum { SPINS = 20000 };

typedef struct {
  granary_pool *pool;
  int32_t thread;
  pthread_t handle;
} worker;

/* Whether a loop takes threads in, beside the number of those in it. */
enum { OPEN = 1 << 30 };

struct granary_pool {
  granary_context context;
  /* Counts the loops; sleeping threads wait for it to change. */
  _Atomic uint32_t generation;
  _Atomic int32_t sleeping;
  /* OPEN, plus the number of threads beside the caller that are in the loop. Only while it is 0 does the caller
   * change what the loop is. */
  _Atomic int32_t inside;
  _Atomic int stopping;
  _Atomic int resting;
  int64_t count;
  /* The threads below this take part. */
  int32_t threads;
  granary_body body;
  void *argument;
  _Atomic int64_t next;
  worker workers[];
};

static inline void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* What waits for long leaves its processor to those whom it waits for. */
static void linger(int spin) {
  if (spin < SPINS) pause_briefly();
  else usleep(10);
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value) {
  syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0);
}

static void run_share(granary_pool *pool, int32_t thread) {
  for (;;) {
    int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
    if (index >= pool->count) return;
    pool->body(pool->argument, index, thread);
  }
}

static uint32_t await_generation(granary_pool *pool, uint32_t seen) {
  for (int spin = 0; spin < SPINS; spin++) {
    uint32_t now = atomic_load_explicit(&pool->generation, memory_order_acquire);
    if (now != seen) return now;
    if (atomic_load_explicit(&pool->resting, memory_order_relaxed)) break;
    pause_briefly();
  }
  atomic_fetch_add(&pool->sleeping, 1);
  uint32_t now;
  while ((now = atomic_load(&pool->generation)) == seen) futex(&pool->generation, FUTEX_WAIT, seen);
  atomic_fetch_sub(&pool->sleeping, 1);
  return now;
}

/* Joins the loop if it still takes threads in. */
static int enter(granary_pool *pool) {
  int32_t inside = atomic_load_explicit(&pool->inside, memory_order_relaxed);
  while (inside & OPEN) {
    if (atomic_compare_exchange_weak_explicit(
            &pool->inside, &inside, inside + 1, memory_order_acquire, memory_order_relaxed))
      return 1;
  }
  return 0;
}

static void *work(void *argument) {
  worker *self = argument;
  granary_pool *pool = self->pool;
  uint32_t seen = 0;
  for (;;) {
    seen = await_generation(pool, seen);
    if (atomic_load_explicit(&pool->stopping, memory_order_relaxed)) return NULL;
    if (!enter(pool)) continue;
    if (self->thread < pool->threads) run_share(pool, self->thread);
    atomic_fetch_sub_explicit(&pool->inside, 1, memory_order_release);
  }
}

static void announce(granary_pool *pool) {
  atomic_fetch_add(&pool->generation, 1);
  if (atomic_load(&pool->sleeping) > 0) futex(&pool->generation, FUTEX_WAKE, INT32_MAX);
}

/* A thread that comes late, because it slept or has no processor, is not waited for: the others do its share. */
static void parallel_for(const granary_context *context, int64_t count, granary_body body, void *argument) {
  granary_pool *pool = context->host;
  int32_t others = context->thread_count - 1;
  if (count <= 1 || others == 0) {
    for (int64_t index = 0; index < count; index++) body(argument, index, 0);
    return;
  }
  atomic_store_explicit(&pool->resting, 0, memory_order_relaxed);
  pool->count = count;
  pool->threads = context->thread_count;
  pool->body = body;
  pool->argument = argument;
  atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool->inside, OPEN, memory_order_release);
  announce(pool);
  run_share(pool, 0);
  atomic_fetch_sub_explicit(&pool->inside, OPEN, memory_order_relaxed);
  for (int spin = 0; atomic_load_explicit(&pool->inside, memory_order_acquire) != 0; spin++) linger(spin);
}

granary_pool *granary_pool_create(int32_t thread_count) {
  if (thread_count < 1) thread_count = 1;
  granary_pool *pool = calloc(1, sizeof *pool + sizeof(worker) * (size_t)thread_count);
  if (!pool) return NULL;
  pool->context = (granary_context){sizeof(granary_context), 1, parallel_for, pool};
  for (int32_t thread = 1; thread < thread_count; thread++) {
    worker *added = &pool->workers[thread];
    *added = (worker){.pool = pool, .thread = thread};
    if (pthread_create(&added->handle, NULL, work, added) != 0) {
      granary_pool_destroy(pool);
      return NULL;
    }
    pool->context.thread_count = thread + 1;
  }
  return pool;
}

const granary_context *granary_pool_context(granary_pool *pool) { return &pool->context; }

int32_t granary_call_within(granary_kernel_function function, const void *const *inputs, void *const *outputs,
                            void *workspace, const granary_context *context, int32_t *most) {
  granary_context within = *context;
  int32_t known = __atomic_load_n(most, __ATOMIC_RELAXED);
  if (within.thread_count > known) within.thread_count = known;
  int32_t status = function(inputs, outputs, workspace, &within);
  while (status == GRANARY_TOO_MANY_THREADS && within.thread_count > 1) {
    __atomic_store_n(most, --within.thread_count, __ATOMIC_RELAXED);
    status = function(inputs, outputs, workspace, &within);
  }
  return status;
}

static int pin(pthread_t thread, int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  return pthread_setaffinity_np(thread, sizeof only, &only);
}

int granary_pool_pin(granary_pool *pool) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
  if (CPU_COUNT(&allowed) < pool->context.thread_count) return -1;
  int result = 0;
  for (int32_t cpu = 0, thread = 0; thread < pool->context.thread_count; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    result |= pin(thread == 0 ? pthread_self() : pool->workers[thread].handle, cpu);
    thread++;
  }
  return result;
}

void granary_pool_rest(granary_pool *pool) {
  atomic_store(&pool->resting, 1);
  for (int spin = 0; atomic_load(&pool->sleeping) < pool->context.thread_count - 1; spin++) linger(spin);
}

void granary_pool_destroy(granary_pool *pool) {
  if (!pool) return;
  atomic_store(&pool->stopping, 1);
  announce(pool);
  for (int32_t thread = 1; thread < pool->context.thread_count; thread++)
    pthread_join(pool->workers[thread].handle, NULL);
  free(pool);
}
