#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"

/* No answer is larger: the artifacts of a whole model. */
enum { HEAD_BYTES = 16384 };
static const long long body_limit = 1LL << 30;

int64_t granary_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int32_t await_socket(granary_connection *connection, short events) {
  int64_t left = connection->deadline - granary_now();
  if (left <= 0) return granary_fail(GRANARY_DEADLINE_EXCEEDED, "the daemon did not answer before the deadline");
  struct pollfd entry = {connection->descriptor, events, 0};
  int64_t milliseconds = left / 1000000 + 1;
  poll(&entry, 1, milliseconds > 1000 ? 1000 : (int)milliseconds);
  return GRANARY_OK;
}

/* Whoever listens decides what this process executes. */
static bool is_trusted(int descriptor) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == geteuid() || peer.uid == 0;
}

int32_t granary_connect(granary_connection *connection, const char *path, int64_t deadline) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    return granary_fail(GRANARY_BAD_ARGUMENT, "the path of the socket is longer than 107 bytes: %s", path);
  strcpy(address.sun_path, path);
  connection->deadline = deadline;
  connection->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (connection->descriptor < 0)
    return granary_fail(GRANARY_ENVIRONMENT, "cannot make a socket: %s", strerror(errno));
  while (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) != 0) {
    /* EAGAIN on a Unix socket: the daemon's queue of connections is full. */
    bool waits = errno == EAGAIN || errno == EINTR;
    int reason = errno;
    if (waits && granary_now() < deadline) {
      poll(NULL, 0, 1);
      continue;
    }
    close(connection->descriptor);
    return granary_fail(GRANARY_NO_DAEMON, "no daemon answers on %s: %s", path, strerror(reason));
  }
  if (is_trusted(connection->descriptor)) return GRANARY_OK;
  close(connection->descriptor);
  return granary_fail(GRANARY_NO_DAEMON, "what listens on %s runs as another user", path);
}

static int32_t send_all(granary_connection *connection, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t sent = send(connection->descriptor, bytes, count, MSG_NOSIGNAL);
    if (sent > 0) {
      bytes += sent;
      count -= (size_t)sent;
    } else if (errno == EAGAIN || errno == EINTR) {
      int32_t status = await_socket(connection, POLLOUT);
      if (status != GRANARY_OK) return status;
    } else {
      return granary_fail(GRANARY_NO_DAEMON, "the daemon closed the connection: %s", strerror(errno));
    }
  }
  return GRANARY_OK;
}

/* Receives at least one byte and at most count. */
static int32_t receive(granary_connection *connection, char *bytes, size_t count, size_t *received) {
  for (;;) {
    ssize_t got = recv(connection->descriptor, bytes, count, 0);
    if (got > 0) {
      *received = (size_t)got;
      return GRANARY_OK;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR))
      return granary_fail(GRANARY_NO_DAEMON, "the daemon closed the connection in the middle of its answer");
    int32_t status = await_socket(connection, POLLIN);
    if (status != GRANARY_OK) return status;
  }
}

/* Reads the status and the length of the body; false when this is no head of an HTTP answer. */
static bool parse_head(const char *head, int *status, long long *length) {
  *length = -1;
  if (sscanf(head, "HTTP/1.%*1[01] %3d", status) != 1) return false;
  for (const char *line = strstr(head, "\r\n"); line && line[2]; line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, "content-length:", 15) == 0) *length = strtoll(line + 17, NULL, 10);
  return *length >= 0 && *length <= body_limit;
}

static int32_t read_body(granary_connection *connection, granary_reply *reply, const char *early, size_t count) {
  if (count > reply->count) return granary_fail(GRANARY_BAD_ANSWER, "the daemon's answer is longer than it says");
  reply->body = malloc(reply->count + 1);
  if (!reply->body) return granary_fail(GRANARY_ENVIRONMENT, "no memory for an answer of %zu bytes", reply->count);
  memcpy(reply->body, early, count);
  reply->body[reply->count] = 0;
  while (count < reply->count) {
    size_t got = 0;
    int32_t status = receive(connection, reply->body + count, reply->count - count, &got);
    if (status != GRANARY_OK) {
      free(reply->body);
      reply->body = NULL;
      return status;
    }
    count += got;
  }
  return GRANARY_OK;
}

static int32_t read_reply(granary_connection *connection, granary_reply *reply) {
  char head[HEAD_BYTES + 1];
  size_t count = 0;
  char *end = NULL;
  while (!end) {
    if (count == HEAD_BYTES) return granary_fail(GRANARY_BAD_ANSWER, "what answers on the socket is no Granary daemon");
    size_t got = 0;
    int32_t status = receive(connection, head + count, HEAD_BYTES - count, &got);
    if (status != GRANARY_OK) return status;
    count += got;
    end = memmem(head, count, "\r\n\r\n", 4);
  }
  size_t head_bytes = (size_t)(end - head) + 4;
  *end = 0;
  long long length;
  if (memchr(head, 0, (size_t)(end - head)) || !parse_head(head, &reply->status, &length))
    return granary_fail(GRANARY_BAD_ANSWER, "what answers on the socket is no Granary daemon");
  reply->count = (size_t)length;
  return read_body(connection, reply, head + head_bytes, count - head_bytes);
}

int32_t granary_exchange(granary_connection *connection, const char *target, const char *body, size_t count,
                         granary_reply *reply) {
  char head[256];
  *reply = (granary_reply){0};
  int length = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nhost: granary\r\ncontent-length: %zu\r\n\r\n",
                        target, count);
  int32_t status = send_all(connection, head, (size_t)length);
  if (status == GRANARY_OK) status = send_all(connection, body, count);
  return status == GRANARY_OK ? read_reply(connection, reply) : status;
}
