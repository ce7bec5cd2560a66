#define _GNU_SOURCE
#include "granary_channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int granary_channel(int pair[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 ? 0 : -errno;
}

int granary_send(int channel, const void *bytes, size_t count, const int *fds, int fd_count) {
  if (fd_count > GRANARY_MAXIMUM_PASSED_DESCRIPTORS) return -EINVAL;
  struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * GRANARY_MAXIMUM_PASSED_DESCRIPTORS)];
  } control;
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count > 0) {
    memset(&control, 0, sizeof control);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
    memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * (size_t)fd_count);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
  }
  ssize_t sent;
  do sent = sendmsg(channel, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int64_t granary_receive(int channel, void *bytes, size_t capacity, int *fds, int *fd_count) {
  struct iovec part = {.iov_base = bytes, .iov_len = capacity};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * GRANARY_MAXIMUM_PASSED_DESCRIPTORS)];
  } control;
  /* Without a place for descriptors none is accepted: the kernel discards what a sender attaches. */
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fds) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  ssize_t received;
  do received = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;
  if (fds) {
    *fd_count = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      size_t size = header->cmsg_len - CMSG_LEN(0);
      memcpy(fds, CMSG_DATA(header), size);
      *fd_count = (int)(size / sizeof(int));
    }
  }
  return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : received;
}

int granary_memory(const char *name, uint64_t size) {
  int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return -errno;
  if (ftruncate(memory, (off_t)size) != 0 || fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0) {
    int error = errno;
    close(memory);
    return -error;
  }
  return memory;
}

int granary_sealed_memory(const char *name, const void *bytes, size_t count) {
  int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return -errno;
  size_t written = 0;
  while (written < count) {
    ssize_t result = write(memory, (const char *)bytes + written, count - written);
    if (result < 0 && errno == EINTR) continue;
    if (result <= 0) break;
    written += (size_t)result;
  }
  if (written < count ||
      fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    int error = errno ? errno : EIO;
    close(memory);
    return -error;
  }
  return memory;
}

int granary_read_only(int memory) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
  int result = open(path, O_RDONLY | O_CLOEXEC);
  return result < 0 ? -errno : result;
}
