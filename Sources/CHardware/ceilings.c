#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "loops.h"

// A thread looks at the clock after this many bytes: long enough to hide the cost of looking.
#define CHUNK ((size_t)256 << 10)

// Threads wait at the gate until all have started, so that they measure the machine under full load.
enum { WAITING, OPEN, ABANDONED };

typedef struct {
  granary_probe probe;
  double seconds;
  uint8_t *source;
  uint8_t *destination;
  size_t bytes;
  atomic_int *gate;
  double rate;
} worker;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

// Moves `count` bytes; returns the bytes read plus the bytes written.
static double move(granary_probe probe, uint8_t *destination, const uint8_t *source, size_t count) {
  switch (probe) {
    case GRANARY_READ: granary_read_chunk(source, count); return (double)count;
    case GRANARY_READ_AHEAD: granary_read_ahead_chunk(source, count); return (double)count;
    case GRANARY_WRITE: granary_write_chunk(destination, count); return (double)count;
    case GRANARY_STREAMING_WRITE: granary_streaming_write_chunk(destination, count); return (double)count;
    case GRANARY_COPY: granary_copy_chunk(destination, source, count); break;
    case GRANARY_COPY_AHEAD: granary_copy_ahead_chunk(destination, source, count); break;
    default: granary_streaming_copy_chunk(destination, source, count); break;
  }
  return 2.0 * (double)count;
}

// Does about a chunk of work at `offset` and moves it on; returns the operations or bytes done.
static double step(const worker *self, size_t *offset) {
  if (self->probe < GRANARY_READ) return granary_compute_chunk(self->probe);
  double done = 0;
  for (size_t moved = 0; moved < CHUNK;) {
    size_t left = self->bytes - *offset;
    size_t count = left < CHUNK ? left : CHUNK;
    uint8_t *destination = self->destination == NULL ? NULL : self->destination + *offset;
    done += move(self->probe, destination, self->source + *offset, count);
    *offset = left <= CHUNK ? 0 : *offset + CHUNK;
    moved += count;
  }
  return done;
}

// Waits until all threads have started; false when one could not.
static int passes(const worker *self) {
  int state;
  while ((state = atomic_load(self->gate)) == WAITING) sched_yield();
  return state == OPEN;
}

// Fills this worker's part of the memory, so that its pages exist near the core that will use them.
static void *touch(void *argument) {
  worker *self = argument;
  if (passes(self)) memset(self->source, 1, self->bytes);
  return NULL;
}

static void *work(void *argument) {
  worker *self = argument;
  if (!passes(self)) return NULL;
  size_t offset = 0;
  double done = 0, begin = now(), elapsed = 0;
  while (elapsed < self->seconds) {
    done += step(self, &offset);
    elapsed = now() - begin;
  }
  self->rate = done / elapsed;
  return NULL;
}

// Runs `body` on every worker at once, each on a thread of its own; false when a thread could not start.
static int run(worker *workers, int32_t count, void *(*body)(void *)) {
  pthread_t *threads = calloc((size_t)count, sizeof *threads);
  if (threads == NULL) return 0;
  atomic_int gate = WAITING;
  int32_t started = 0;
  for (; started < count; started++) {
    workers[started].gate = &gate;
    if (pthread_create(&threads[started], NULL, body, &workers[started]) != 0) break;
  }
  atomic_store(&gate, started == count ? OPEN : ABANDONED);
  for (int32_t i = 0; i < started; i++) pthread_join(threads[i], NULL);
  free(threads);
  return started == count;
}

// Gives each worker its part of the memory, in whole units of 1024 bytes.
static worker *divide(
    granary_probe probe, int32_t threads, double seconds, uint8_t *source, uint8_t *destination,
    size_t bytes) {
  worker *workers = calloc((size_t)threads, sizeof *workers);
  if (workers == NULL) return NULL;
  size_t share = bytes / (size_t)threads / 1024 * 1024;
  for (int32_t i = 0; i < threads; i++) {
    size_t offset = share * (size_t)i;
    workers[i] = (worker){
        .probe = probe,
        .seconds = seconds,
        .source = source == NULL ? NULL : source + offset,
        .destination = destination == NULL ? NULL : destination + offset,
        .bytes = share};
  }
  return workers;
}

double granary_probe_rate(
    granary_probe probe, int32_t threads, double seconds, void *source, void *destination,
    size_t bytes) {
  if (threads < 1 || !granary_probe_available(probe)) return 0;
  if (probe >= GRANARY_READ && bytes / (size_t)threads < 1024) return 0;
  worker *workers = divide(probe, threads, seconds, source, destination, bytes);
  if (workers == NULL) return 0;
  double total = 0;
  if (run(workers, threads, work)) {
    for (int32_t i = 0; i < threads; i++) total += workers[i].rate;
  }
  free(workers);
  return total;
}

void *granary_probe_memory(size_t bytes, int32_t threads) {
  void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  madvise(memory, bytes, MADV_HUGEPAGE);
  worker *workers = threads < 1 ? NULL : divide(GRANARY_READ, threads, 0, memory, NULL, bytes);
  if (workers != NULL) run(workers, threads, touch);
  free(workers);
  return memory;
}

void granary_probe_release(void *memory, size_t bytes) {
  if (memory != NULL) munmap(memory, bytes);
}
