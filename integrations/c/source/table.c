#define _GNU_SOURCE
#include "table.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "kernel.h"
#include "wire.h"

typedef struct entry {
  struct entry *next;
  uint64_t hash;
  char *spec, *socket, *policy;
  granary_kernel *kernel;
  /* Without a kernel: the failure, and until when it holds. */
  int32_t status;
  int64_t until;
  char *message;
} entry;

enum { BUCKETS = 4096 };

static entry *buckets[BUCKETS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_watched = PTHREAD_ONCE_INIT;

static void lock(void) { pthread_mutex_lock(&mutex); }

static void unlock(void) { pthread_mutex_unlock(&mutex); }

/* A fork waits until no thread is inside the table, so that the child finds it whole and open. */
static void watch_fork(void) { pthread_atfork(lock, unlock, unlock); }

static void enter(void) {
  pthread_once(&fork_watched, watch_fork);
  lock();
}

/* FNV-1a, each text with its final NUL. */
static uint64_t hash_of(const granary_question *question) {
  const char *texts[] = {question->spec, question->socket, question->policy};
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (int i = 0; i < 3; i++) {
    const char *at = texts[i];
    do hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    while (*at++);
  }
  return hash;
}

static entry *find(const granary_question *question, uint64_t hash) {
  entry *at = buckets[hash % BUCKETS];
  while (at && (at->hash != hash || strcmp(at->spec, question->spec) != 0 ||
                strcmp(at->socket, question->socket) != 0 || strcmp(at->policy, question->policy) != 0))
    at = at->next;
  return at;
}

static void discard(entry *unused) {
  free(unused->spec);
  free(unused->socket);
  free(unused->policy);
  free(unused);
}

/* The entry of a question, made when there is none; NULL when there is no memory. */
static entry *obtain(const granary_question *question) {
  uint64_t hash = hash_of(question);
  entry *known = find(question, hash);
  if (known) return known;
  entry *added = calloc(1, sizeof *added);
  if (!added) return NULL;
  *added = (entry){.next = buckets[hash % BUCKETS], .hash = hash, .spec = strdup(question->spec),
                   .socket = strdup(question->socket), .policy = strdup(question->policy)};
  if (!added->spec || !added->socket || !added->policy) {
    discard(added);
    return NULL;
  }
  return buckets[hash % BUCKETS] = added;
}

bool granary_table_find(const granary_question *question, granary_kernel **kernel, int32_t *status) {
  uint64_t hash = hash_of(question);
  enter();
  entry *known = find(question, hash);
  *kernel = known ? known->kernel : NULL;
  *status = *kernel ? GRANARY_OK : known ? known->status : GRANARY_NO_KERNEL;
  bool holds = known && (known->kernel || (known->status != GRANARY_OK && granary_now() < known->until));
  if (holds && !known->kernel) granary_fail(known->status, "%s", known->message ? known->message : "");
  unlock();
  return holds;
}

granary_kernel *granary_table_keep(const granary_question *question, granary_kernel *kernel) {
  enter();
  entry *place = obtain(question);
  granary_kernel *other = place ? place->kernel : NULL;
  bool same = other && strcmp(other->description.artifact, kernel->description.artifact) == 0;
  if (place && !same) place->kernel = kernel;
  unlock();
  if (!same) return kernel;
  granary_kernel_discard(kernel);
  return other;
}

void granary_table_fail(const granary_question *question, int32_t status, int64_t until) {
  enter();
  entry *place = obtain(question);
  if (place && !place->kernel) {
    free(place->message);
    place->message = strdup(granary_message());
    place->status = status;
    place->until = until;
  }
  unlock();
}
