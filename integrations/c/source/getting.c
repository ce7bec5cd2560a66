#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asking.h"
#include "failure.h"
#include "locations.h"
#include "published.h"
#include "wire.h"

/* The daemon that failed last, by its socket: until then no question is sent to it. Threads that set these at once
 * mix two failures, which delays a question or asks one too early. */
static _Atomic uint64_t silent_socket;
static _Atomic int64_t silent_until;
static _Atomic int32_t silent_status;

/* FNV-1a. */
static uint64_t hash_of(const char *text) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return hash;
}

/* How long the daemon is left alone: one that is absent costs little, one that hangs costs a deadline. */
static void fall_silent(const char *socket, int32_t status) {
  int64_t seconds = status == GRANARY_NO_DAEMON ? 1 : 10;
  silent_socket = hash_of(socket);
  silent_status = status;
  silent_until = granary_now() + seconds * INT64_C(1000000000);
}

static bool is_daemons_fault(int32_t status) {
  return status == GRANARY_NO_DAEMON || status == GRANARY_DEADLINE_EXCEEDED || status == GRANARY_BAD_ANSWER;
}

static const char *failure_of(int32_t status) {
  switch (status) {
    case GRANARY_NO_DAEMON: return "did not answer";
    case GRANARY_DEADLINE_EXCEEDED: return "took longer than a deadline";
    default: return "gave an answer that cannot be read";
  }
}

static granary_options completed(const granary_options *options, char *path, size_t count) {
  granary_options complete = {0};
  if (options) memcpy(&complete, options, options->size < sizeof complete ? options->size : sizeof complete);
  if (!complete.policy || !*complete.policy) complete.policy = "baseline";
  if (complete.deadline_milliseconds <= 0) complete.deadline_milliseconds = 10000;
  if (!complete.socket || !*complete.socket) {
    granary_default_socket(path, count);
    complete.socket = path;
  }
  return complete;
}

static bool is_policy(const char *name) {
  return strcmp(name, "cached") == 0 || strcmp(name, "baseline") == 0 || strcmp(name, "tuned") == 0;
}

/* Asks for the questions whose places are listed. */
static int32_t ask_open(const granary_question *questions, const size_t *places, size_t count, int64_t deadline,
                        granary_kernel **kernels, int32_t *statuses) {
  if (granary_now() < silent_until && hash_of(questions->socket) == silent_socket)
    return granary_fail(silent_status, "the daemon on %s %s a moment ago and is not asked again yet",
                        questions->socket, failure_of(silent_status));
  granary_question *asked = calloc(count, sizeof *asked);
  granary_kernel **brought = calloc(count, sizeof *brought);
  int32_t *became = calloc(count, sizeof *became);
  int32_t status = GRANARY_OK;
  if (asked && brought && became) {
    for (size_t i = 0; i < count; i++) asked[i] = questions[places[i]];
    status = granary_ask(asked, count, deadline, brought, became);
    for (size_t i = 0; i < count && status == GRANARY_OK; i++) {
      statuses[places[i]] = became[i];
      kernels[places[i]] = brought[i];
    }
    if (is_daemons_fault(status)) fall_silent(questions->socket, status);
  } else {
    status = granary_fail(GRANARY_ENVIRONMENT, "no memory for %zu questions", count);
  }
  free(asked);
  free(brought);
  free(became);
  return status;
}

/* Answers from the table and from what the daemon has published what can be; the places of the rest are written to
 * open. */
static size_t answer_known(const granary_question *questions, size_t count, bool refresh, const char *published,
                           granary_kernel **kernels, int32_t *statuses, size_t *open) {
  size_t unknown = 0;
  for (size_t i = 0; i < count; i++) {
    bool known = granary_table_find(&questions[i], &kernels[i], &statuses[i]);
    if (!known && published && granary_published_find(&questions[i], published, &kernels[i])) {
      statuses[i] = GRANARY_OK;
      known = true;
    }
    if (!known || refresh) open[unknown++] = i;
  }
  return unknown;
}

static int32_t get_all(const granary_question *questions, size_t count, const granary_options *options,
                       const char *published, granary_kernel **kernels, int32_t *statuses, size_t *open) {
  int64_t deadline = granary_now() + options->deadline_milliseconds * 1000000;
  size_t unknown = answer_known(questions, count, options->refresh != 0, published, kernels, statuses, open);
  int32_t status = unknown ? ask_open(questions, open, unknown, deadline, kernels, statuses) : GRANARY_OK;
  /* What the process already has stays usable when the daemon fails. */
  for (size_t i = 0; i < unknown && status != GRANARY_OK; i++)
    if (!kernels[open[i]]) statuses[open[i]] = status;
  for (size_t i = 0; i < count; i++)
    if (statuses[i] != GRANARY_OK) return statuses[i];
  return GRANARY_OK;
}

int32_t granary_get_all(const char *const *specs, size_t count, const granary_options *options,
                        granary_kernel **kernels, int32_t *statuses) {
  char path[512];
  if (count == 0) return GRANARY_OK;
  if (!specs || !kernels || !statuses) return granary_fail(GRANARY_BAD_ARGUMENT, "an array is a null pointer");
  granary_options complete = completed(options, path, sizeof path);
  granary_question *questions = calloc(count, sizeof *questions);
  size_t *open = calloc(count, sizeof *open);
  int32_t status = GRANARY_OK;
  if (!questions || !open) status = granary_fail(GRANARY_ENVIRONMENT, "no memory for %zu questions", count);
  else if (!is_policy(complete.policy))
    status = granary_fail(GRANARY_BAD_ARGUMENT, "the policy '%s' is none of cached, baseline, tuned", complete.policy);
  for (size_t i = 0; i < count; i++) {
    if (status == GRANARY_OK && !specs[i]) status = granary_fail(GRANARY_BAD_ARGUMENT, "spec %zu is a null pointer", i);
    if (status == GRANARY_OK) questions[i] = (granary_question){specs[i], complete.socket, complete.policy};
  }
  for (size_t i = 0; i < count && status != GRANARY_OK; i++) {
    kernels[i] = NULL;
    statuses[i] = status;
  }
  if (status == GRANARY_OK) {
    char folder[512];
    const char *published = complete.published;
    /* Another daemon than the default one publishes elsewhere. */
    if (!published && complete.socket == path) published = granary_default_published(folder, sizeof folder);
    if (complete.refresh) published = NULL;
    status = get_all(questions, count, &complete, published, kernels, statuses, open);
  }
  free(questions);
  free(open);
  return status;
}

int32_t granary_get(const char *spec, const granary_options *options, granary_kernel **kernel) {
  int32_t status = GRANARY_OK;
  if (!kernel) return granary_fail(GRANARY_BAD_ARGUMENT, "there is no place for the kernel");
  return granary_get_all(&spec, 1, options, kernel, &status);
}
