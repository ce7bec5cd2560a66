#define _GNU_SOURCE
#include "asking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counting.h"
#include "failure.h"
#include "kernel.h"
#include "wire.h"

/* The length of an artifact that the daemon does not have. */
static const uint64_t missing = UINT64_MAX;
/* How long a failure holds that another answer may end soon, and one that only a new daemon or spec ends. */
static const int64_t brief = INT64_C(1000000000), long_while = INT64_C(10000000000);

static int64_t patience(int32_t status) {
  return granary_now() + (status == GRANARY_NO_DAEMON || status == GRANARY_NO_KERNEL ? brief : long_while);
}

/* The body of POST /v1/kernels, allocated. */
static char *write_request(const granary_question *questions, size_t count, int64_t deadline, size_t *length) {
  char *text = NULL;
  FILE *stream = open_memstream(&text, length);
  if (!stream) return NULL;
  int64_t left = (deadline - granary_now()) / 1000000;
  fprintf(stream, "{\"policy\":\"%s\",", questions->policy);
  if (strcmp(questions->policy, "tuned") == 0)
    fprintf(stream, "\"deadline_milliseconds\":%lld,", (long long)(left > 0 ? left - left / 10 : 0));
  fprintf(stream, "\"specs\":[");
  for (size_t i = 0; i < count; i++) {
    char *quoted = json_quoted(questions[i].spec);
    fprintf(stream, "%s%s", i ? "," : "", quoted ? quoted : "\"\"");
    free(quoted);
  }
  fprintf(stream, "]}");
  fclose(stream);
  return text;
}

/* The failure that an answer or an error of the daemon tells. */
static int32_t told_failure(json error) {
  static const struct {
    const char *code;
    int32_t status;
  } known[] = {{"bad-spec", GRANARY_BAD_SPEC},       {"unsupported", GRANARY_UNSUPPORTED},
               {"not-found", GRANARY_NO_KERNEL},     {"deadline-exceeded", GRANARY_DEADLINE_EXCEEDED},
               {"shutting-down", GRANARY_NO_DAEMON}, {"too-large", GRANARY_BAD_SPEC},
               {"bad-request", GRANARY_BAD_SPEC},    {"environment", GRANARY_ENVIRONMENT}};
  json code, message;
  char *text = json_member(error, "message", &message) ? json_copy(message) : NULL;
  int32_t status = GRANARY_BAD_ANSWER;
  for (size_t i = 0; json_member(error, "code", &code) && i < sizeof known / sizeof *known; i++)
    if (json_equals(code, known[i].code)) status = known[i].status;
  granary_fail(status, "%s", text ? text : "the daemon failed without a reason");
  free(text);
  return status;
}

static int32_t exchange(granary_connection *connection, const char *target, const char *body, size_t count,
                        granary_reply *reply) {
  granary_counted(requests);
  int32_t status = granary_exchange(connection, target, body, count, reply);
  if (status != GRANARY_OK || reply->status == 200) return status;
  json error;
  status = json_parse(reply->body, reply->count, &error)
               ? told_failure(error)
               : granary_fail(GRANARY_BAD_ANSWER, "the daemon answered with status %d", reply->status);
  free(reply->body);
  return status;
}

/* What one answer says: a kernel that is still to be loaded, or why there is none. */
static int32_t read_answer(json answer, granary_kernel **kernel) {
  json value;
  *kernel = NULL;
  if (json_member(answer, "error", &value)) return told_failure(value);
  if (json_member(answer, "verdict", &value) && json_equals(value, "prefer-vendor"))
    return granary_fail(GRANARY_PREFER_VENDOR, "measured: the caller's own operator is faster here");
  if (!json_member(answer, "artifact", &value))
    return granary_fail(GRANARY_NO_KERNEL, "the cache has no kernel for the spec");
  return granary_kernel_describe(answer, kernel);
}

/* The answers in a reply, one for each question; NULL when it is not that. */
static json *read_answers(const granary_reply *reply, size_t count) {
  json list, element;
  if (!json_parse(reply->body, reply->count, &list) || json_count(list) != (int64_t)count) return NULL;
  json *answers = calloc(count, sizeof *answers);
  const char *cursor = NULL;
  for (size_t i = 0; answers && json_next(list, &cursor, &element); i++) answers[i] = element;
  return answers;
}

static uint64_t read_length(const char *bytes) {
  uint64_t length = 0;
  for (int i = 0; i < 8; i++) length = length << 8 | (unsigned char)bytes[i];
  return length;
}

/* Loads the next frame of a reply into a kernel. */
static int32_t load_frame(const granary_reply *reply, size_t *at, granary_kernel *kernel, json answer) {
  if (reply->count - *at < 8) return granary_fail(GRANARY_BAD_ANSWER, "the daemon's artifacts are cut short");
  uint64_t length = read_length(reply->body + *at);
  *at += 8;
  if (length == missing) return granary_fail(GRANARY_NO_KERNEL, "the daemon has lost the artifact");
  if (reply->count - *at < length) {
    *at = reply->count;
    return granary_fail(GRANARY_BAD_ANSWER, "the daemon's artifacts are cut short");
  }
  const char *bytes = reply->body + *at;
  *at += length;
  return granary_kernel_load(kernel, bytes, length, answer);
}

/* Fetches and loads the artifacts of all kernels that are described. */
static int32_t load_all(granary_connection *connection, const json *answers, size_t count, granary_kernel **kernels,
                        int32_t *statuses, const granary_question *questions) {
  size_t length = 0, wanted = 0;
  char *body = malloc(count * 65 + 1);
  if (!body) return granary_fail(GRANARY_ENVIRONMENT, "no memory for a request");
  for (size_t i = 0; i < count; i++)
    if (kernels[i]) wanted += 1, length += (size_t)sprintf(body + length, "%s\n", kernels[i]->description.artifact);
  granary_reply reply = {0};
  int32_t status = wanted ? exchange(connection, "/v1/artifacts", body, length, &reply) : GRANARY_OK;
  free(body);
  if (status != GRANARY_OK || !wanted) return status;
  size_t at = 0;
  for (size_t i = 0; i < count; i++) {
    if (!kernels[i]) continue;
    statuses[i] = load_frame(&reply, &at, kernels[i], answers[i]);
    if (statuses[i] == GRANARY_OK) {
      granary_counted(kernels_loaded);
      kernels[i] = granary_table_keep(&questions[i], kernels[i]);
    } else {
      granary_kernel_discard(kernels[i]);
      kernels[i] = NULL;
      granary_table_fail(&questions[i], statuses[i], patience(statuses[i]));
    }
  }
  free(reply.body);
  return GRANARY_OK;
}

static int32_t converse(granary_connection *connection, const granary_question *questions, size_t count,
                        granary_kernel **kernels, int32_t *statuses) {
  size_t length = 0;
  char *body = write_request(questions, count, connection->deadline, &length);
  if (!body) return granary_fail(GRANARY_ENVIRONMENT, "no memory for a request");
  granary_reply reply = {0};
  int32_t status = exchange(connection, "/v1/kernels", body, length, &reply);
  free(body);
  if (status != GRANARY_OK) return status;
  json *answers = read_answers(&reply, count);
  if (answers) {
    for (size_t i = 0; i < count; i++) {
      statuses[i] = read_answer(answers[i], &kernels[i]);
      if (statuses[i] != GRANARY_OK) granary_table_fail(&questions[i], statuses[i], patience(statuses[i]));
    }
    status = load_all(connection, answers, count, kernels, statuses, questions);
  } else {
    status = granary_fail(GRANARY_BAD_ANSWER, "what answers on the socket is no Granary daemon");
  }
  free(answers);
  free(reply.body);
  return status;
}

int32_t granary_ask(const granary_question *questions, size_t count, int64_t deadline, granary_kernel **kernels,
                    int32_t *statuses) {
  granary_connection connection;
  for (size_t i = 0; i < count; i++) kernels[i] = NULL;
  int32_t status = granary_connect(&connection, questions->socket, deadline);
  if (status != GRANARY_OK) return status;
  status = converse(&connection, questions, count, kernels, statuses);
  close(connection.descriptor);
  /* The conversation fails as a whole only before anything is loaded. */
  for (size_t i = 0; i < count && status != GRANARY_OK; i++) {
    granary_kernel_discard(kernels[i]);
    kernels[i] = NULL;
  }
  return status;
}
