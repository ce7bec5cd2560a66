#define _GNU_SOURCE
#include "granary_poller.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { MAXIMUM_READY = 64 };

static int control(int poller, int operation, int fd, uint64_t token, uint32_t events) {
  struct epoll_event event = {.data.u64 = token};
  if (events & GRANARY_READABLE) event.events |= EPOLLIN;
  if (events & GRANARY_WRITABLE) event.events |= EPOLLOUT;
  return epoll_ctl(poller, operation, fd, &event) == 0 ? 0 : -errno;
}

int granary_poller(void) {
  int poller = epoll_create1(EPOLL_CLOEXEC);
  return poller >= 0 ? poller : -errno;
}

int granary_poller_add(int poller, int fd, uint64_t token, uint32_t events) {
  return control(poller, EPOLL_CTL_ADD, fd, token, events);
}

int granary_poller_change(int poller, int fd, uint64_t token, uint32_t events) {
  return control(poller, EPOLL_CTL_MOD, fd, token, events);
}

int granary_poller_wait(int poller, granary_ready *ready, int capacity, int milliseconds) {
  struct epoll_event events[MAXIMUM_READY];
  int count = epoll_wait(poller, events, capacity < MAXIMUM_READY ? capacity : MAXIMUM_READY, milliseconds);
  if (count < 0) return errno == EINTR ? 0 : -errno;
  for (int i = 0; i < count; i++) {
    uint32_t seen = events[i].events;
    ready[i].token = events[i].data.u64;
    ready[i].events = (seen & EPOLLIN ? GRANARY_READABLE : 0) | (seen & EPOLLOUT ? GRANARY_WRITABLE : 0) |
                      (seen & (EPOLLHUP | EPOLLERR) ? GRANARY_HUNG_UP : 0);
  }
  return count;
}

int granary_wake_counter(void) {
  int counter = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return counter >= 0 ? counter : -errno;
}

void granary_wake(int counter) { eventfd_write(counter, 1); }

void granary_wake_clear(int counter) {
  eventfd_t count;
  eventfd_read(counter, &count);
}

int granary_accept(int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  return fd >= 0 ? fd : -errno;
}
