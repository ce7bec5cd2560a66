/* Asks a server on a Unix socket for the same answers over and over, and prints what it measured.
 *
 * usage: load SOCKET CONNECTIONS FILE SECONDS
 * FILE holds one request as raw bytes, of HTTP or of RESP; the first answer tells how long every answer is, so that
 * both protocols cost this program the same. Prints: requests a second, median and 99th percentile in microseconds. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SAMPLES = 4000000, BUFFER = 1 << 20 };

typedef struct {
  int fd;
  size_t sent, got;
  uint64_t start;
} connection;

static char buffer[BUFFER];
static float *samples;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int dial(const char *path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) fail(path);
  return fd;
}

/* Sends what the socket takes; returns whether all was sent. */
static int push(connection *c, const char *request, size_t size) {
  while (c->sent < size) {
    ssize_t n = send(c->fd, request + c->sent, size - c->sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) fail("send");
    c->sent += (size_t)n;
  }
  return 1;
}

/* The size of the first answer: all that arrives until a tenth of a second of silence. */
static size_t answer_size(const char *path, const char *request, size_t size) {
  connection c = {.fd = dial(path)};
  size_t total = 0;
  struct pollfd entry = {.fd = c.fd, .events = POLLIN};
  while (!push(&c, request, size)) poll(&entry, 1, 1);
  while (poll(&entry, 1, 100) > 0) {
    ssize_t n = recv(c.fd, buffer, BUFFER, 0);
    if (n <= 0) fail("the server closed the connection");
    if (total == 0 && strncmp(buffer, "HTTP/1.1 200", 12) != 0 && buffer[0] != '$' && buffer[0] != '*') {
      fprintf(stderr, "unexpected answer: %.60s\n", buffer);
      exit(1);
    }
    total += (size_t)n;
  }
  close(c.fd);
  return total;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  const char *path = arguments[1];
  int connections = atoi(arguments[2]);
  FILE *file = fopen(arguments[3], "rb");
  if (!file) fail(arguments[3]);
  static char request[1 << 20];
  size_t size = fread(request, 1, sizeof request, file);
  double seconds = atof(arguments[4]);
  /* Twice: the first may be cold, and the second is the one that repeats. */
  answer_size(path, request, size);
  size_t answer = answer_size(path, request, size);
  samples = malloc(sizeof(float) * MAX_SAMPLES);
  connection *all = calloc((size_t)connections, sizeof *all);
  int poller = epoll_create1(0);
  for (int i = 0; i < connections; i++) {
    all[i].fd = dial(path);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, all[i].fd, &event);
  }
  uint64_t begin = now(), end = begin + (uint64_t)(seconds * 1e9);
  for (int i = 0; i < connections; i++) {
    all[i].start = now();
    while (!push(&all[i], request, size)) {}
  }
  size_t done = 0;
  struct epoll_event events[64];
  while (now() < end) {
    int ready = epoll_wait(poller, events, 64, 1000);
    for (int i = 0; i < ready; i++) {
      connection *c = events[i].data.ptr;
      ssize_t n;
      while (c->got < answer && (n = recv(c->fd, buffer, BUFFER, 0)) > 0) c->got += (size_t)n;
      if (c->got < answer) continue;
      uint64_t time = now();
      if (done < MAX_SAMPLES) samples[done] = (float)(time - c->start) / 1000;
      done++;
      c->got = c->sent = 0;
      c->start = time;
      while (!push(c, request, size)) {}
    }
  }
  double elapsed = (double)(now() - begin) / 1e9;
  size_t kept = done < MAX_SAMPLES ? done : MAX_SAMPLES;
  if (kept == 0) return 1;
  qsort(samples, kept, sizeof *samples, ascending);
  printf("%.0f %.1f %.1f\n", (double)done / elapsed, samples[kept / 2], samples[kept * 99 / 100]);
  return 0;
}
