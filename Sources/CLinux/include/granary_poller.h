/* Waiting for many sockets at once, and accepting connections. */
#ifndef GRANARY_POLLER_H
#define GRANARY_POLLER_H

#include <stdint.h>

enum { GRANARY_READABLE = 1, GRANARY_WRITABLE = 2, GRANARY_HUNG_UP = 4 };

typedef struct {
  uint64_t token;
  /* A mask of the constants above. GRANARY_HUNG_UP comes unasked: nothing can be sent any more. */
  uint32_t events;
} granary_ready;

/* Makes a poller that no child inherits. Returns a descriptor or a negated error number. */
int granary_poller(void);

/* Watches `fd` for `events` until it is closed, and reports it as `token`. Returns 0 or a negated error number. */
int granary_poller_add(int poller, int fd, uint64_t token, uint32_t events);

/* Changes what a watched descriptor is watched for. Returns 0 or a negated error number. */
int granary_poller_change(int poller, int fd, uint64_t token, uint32_t events);

/* Waits until something is ready or the time is over; a negative time is for ever.
 *
 * Returns how many are in `ready`, at most `capacity` and at most 64; 0 also when a signal came. */
int granary_poller_wait(int poller, granary_ready *ready, int capacity, int milliseconds);

/* A counter that is readable once it was written to. Returns a descriptor or a negated error number. */
int granary_wake_counter(void);

/* Makes a counter readable. */
void granary_wake(int counter);

/* Makes a counter unreadable until the next wake. */
void granary_wake_clear(int counter);

/* Takes a connection that neither blocks nor is inherited. Returns a descriptor or a negated error number. */
int granary_accept(int listener);

#endif
