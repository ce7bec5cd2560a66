#include "granary_http.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The numbers are part of libcurl's binary interface and never change: include/curl/curl.h of curl 7.88.
enum {
  OPTION_WRITEDATA = 10001,
  OPTION_URL = 10002,
  OPTION_USERPWD = 10005,
  OPTION_ERRORBUFFER = 10010,
  OPTION_POSTFIELDS = 10015,
  OPTION_HTTPHEADER = 10023,
  OPTION_CAINFO = 10065,
  OPTION_HEADERDATA = 10029,
  OPTION_CUSTOMREQUEST = 10036,
  OPTION_AWS_SIGV4 = 10305,
  OPTION_WRITEFUNCTION = 20011,
  OPTION_HEADERFUNCTION = 20079,
  OPTION_NOBODY = 44,
  OPTION_FOLLOWLOCATION = 52,
  OPTION_NOSIGNAL = 99,
  OPTION_TIMEOUT_MS = 155,
  OPTION_CONNECTTIMEOUT_MS = 156,
  OPTION_PROTOCOLS = 181,
  OPTION_POSTFIELDSIZE_LARGE = 30120,
  INFO_RESPONSE_CODE = 0x200002,
  PROTOCOL_HTTP_AND_HTTPS = 3,
  GLOBAL_DEFAULT = 3,
};

static struct {
  int (*global_init)(long);
  void *(*easy_init)(void);
  int (*easy_setopt)(void *, int, ...);
  int (*easy_perform)(void *);
  int (*easy_getinfo)(void *, int, ...);
  void (*easy_cleanup)(void *);
  const char *(*easy_strerror)(int);
  void *(*list_append)(void *, const char *);
  void (*list_free)(void *);
  int ready;
} curl;

static void open_library(void) {
  void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&curl.global_init = dlsym(library, "curl_global_init");
  *(void **)&curl.easy_init = dlsym(library, "curl_easy_init");
  *(void **)&curl.easy_setopt = dlsym(library, "curl_easy_setopt");
  *(void **)&curl.easy_perform = dlsym(library, "curl_easy_perform");
  *(void **)&curl.easy_getinfo = dlsym(library, "curl_easy_getinfo");
  *(void **)&curl.easy_cleanup = dlsym(library, "curl_easy_cleanup");
  *(void **)&curl.easy_strerror = dlsym(library, "curl_easy_strerror");
  *(void **)&curl.list_append = dlsym(library, "curl_slist_append");
  *(void **)&curl.list_free = dlsym(library, "curl_slist_free_all");
  curl.ready = curl.global_init && curl.easy_init && curl.easy_setopt && curl.easy_perform &&
               curl.easy_getinfo && curl.easy_cleanup && curl.easy_strerror && curl.list_append &&
               curl.list_free && curl.global_init(GLOBAL_DEFAULT) == 0;
}

struct received {
  uint8_t *bytes;
  size_t length, capacity, limit;
  int is_over;
};

static size_t receive(char *bytes, size_t size, size_t count, void *context) {
  struct received *received = context;
  size_t more = size * count;
  if (more > received->limit - received->length) {
    received->is_over = 1;
    return 0;
  }
  if (received->length + more > received->capacity) {
    size_t capacity = received->capacity ? received->capacity * 2 : 4096;
    while (capacity < received->length + more) capacity *= 2;
    uint8_t *grown = realloc(received->bytes, capacity);
    if (!grown) return 0;
    received->bytes = grown;
    received->capacity = capacity;
  }
  memcpy(received->bytes + received->length, bytes, more);
  received->length += more;
  return more;
}

static size_t note_header(char *line, size_t size, size_t count, void *context) {
  struct granary_http_answer *answer = context;
  size_t length = size * count;
  if (length < 5 || strncasecmp(line, "etag:", 5) != 0) return length;
  size_t start = 5, end = length;
  while (start < end && line[start] == ' ') start++;
  while (end > start && (line[end - 1] == '\r' || line[end - 1] == '\n' || line[end - 1] == ' ')) end--;
  if (end - start < sizeof answer->tag) {
    memcpy(answer->tag, line + start, end - start);
    answer->tag[end - start] = 0;
  }
  return length;
}

static void prepare(void *easy, const struct granary_http_call *call, void *headers, char *reason) {
  curl.easy_setopt(easy, OPTION_URL, call->url);
  curl.easy_setopt(easy, OPTION_CUSTOMREQUEST, call->method);
  curl.easy_setopt(easy, OPTION_ERRORBUFFER, reason);
  curl.easy_setopt(easy, OPTION_HTTPHEADER, headers);
  curl.easy_setopt(easy, OPTION_NOSIGNAL, 1L);
  curl.easy_setopt(easy, OPTION_FOLLOWLOCATION, 0L);
  curl.easy_setopt(easy, OPTION_PROTOCOLS, (long)PROTOCOL_HTTP_AND_HTTPS);
  curl.easy_setopt(easy, OPTION_CONNECTTIMEOUT_MS, call->connect_milliseconds);
  curl.easy_setopt(easy, OPTION_TIMEOUT_MS, call->total_milliseconds);
  if (strcmp(call->method, "HEAD") == 0) curl.easy_setopt(easy, OPTION_NOBODY, 1L);
  if (call->body) {
    curl.easy_setopt(easy, OPTION_POSTFIELDSIZE_LARGE, (long long)call->body_length);
    curl.easy_setopt(easy, OPTION_POSTFIELDS, call->body);
  }
  if (call->signature) {
    curl.easy_setopt(easy, OPTION_AWS_SIGV4, call->signature);
    curl.easy_setopt(easy, OPTION_USERPWD, call->credentials);
  }
  if (call->authorities) curl.easy_setopt(easy, OPTION_CAINFO, call->authorities);
}

int granary_http_exchange(const struct granary_http_call *call, struct granary_http_answer *answer) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  memset(answer, 0, sizeof *answer);
  if (!curl.ready) {
    snprintf(answer->failure, sizeof answer->failure, "libcurl is not installed");
    return 2;
  }
  void *easy = curl.easy_init();
  if (!easy) return 1;
  char reason[256] = "";
  struct received received = {.limit = call->limit_bytes};
  void *headers = NULL;
  for (const char *const *header = call->headers; header && *header; header++)
    headers = curl.list_append(headers, *header);
  prepare(easy, call, headers, reason);
  curl.easy_setopt(easy, OPTION_WRITEFUNCTION, receive);
  curl.easy_setopt(easy, OPTION_WRITEDATA, &received);
  curl.easy_setopt(easy, OPTION_HEADERFUNCTION, note_header);
  curl.easy_setopt(easy, OPTION_HEADERDATA, answer);
  int result = curl.easy_perform(easy);
  curl.easy_getinfo(easy, INFO_RESPONSE_CODE, &answer->status);
  if (result != 0) {
    const char *text = received.is_over ? "the answer is too long"
                       : reason[0]      ? reason
                                        : curl.easy_strerror(result);
    snprintf(answer->failure, sizeof answer->failure, "%s", text);
    free(received.bytes);
  } else {
    answer->body = received.bytes;
    answer->length = received.length;
  }
  curl.list_free(headers);
  curl.easy_cleanup(easy);
  return result != 0;
}
