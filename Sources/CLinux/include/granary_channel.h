/* Messages with descriptors over a socket pair, and shared memory. */
#ifndef GRANARY_CHANNEL_H
#define GRANARY_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

enum { GRANARY_MAXIMUM_PASSED_DESCRIPTORS = 8 };

/* Makes a pair of connected sockets that keep message boundaries. Returns 0 or a negated error number. */
int granary_channel(int pair[2]);

/* Sends one message with `fd_count` descriptors. Returns 0 or a negated error number. */
int granary_send(int channel, const void *bytes, size_t count, const int *fds, int fd_count);

/* Receives one message of at most `capacity` bytes and its descriptors.
 *
 * Returns its length, 0 when the other side is gone, or a negated error number. A longer message is
 * -EMSGSIZE. */
int64_t granary_receive(int channel, void *bytes, size_t capacity, int *fds, int *fd_count);

/* Makes anonymous shared memory of a fixed size. Returns a descriptor or a negated error number. */
int granary_memory(const char *name, uint64_t size);

/* Makes anonymous memory that holds `bytes` and can never change. Returns a descriptor or a negated error
 * number. */
int granary_sealed_memory(const char *name, const void *bytes, size_t count);

/* A descriptor of the same memory through which it can only be read, or a negated error number. */
int granary_read_only(int memory);

#endif
