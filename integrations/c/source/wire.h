/* HTTP/1.1 over a Unix socket, each step within a deadline. */
#ifndef GRANARY_WIRE_H
#define GRANARY_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t granary_now(void);

typedef struct granary_connection {
  int descriptor;
  /* Nanoseconds of granary_now() after which every operation fails. */
  int64_t deadline;
} granary_connection;

/* The answer to a request. The body is allocated, with a NUL behind it. */
typedef struct granary_reply {
  int status;
  char *body;
  size_t count;
} granary_reply;

/* Connects to a socket whose listener runs as this user or as root. */
int32_t granary_connect(granary_connection *connection, const char *path, int64_t deadline);

/* Sends a POST and waits for its answer. */
int32_t granary_exchange(granary_connection *connection, const char *target, const char *body, size_t count,
                         granary_reply *reply);

#endif
