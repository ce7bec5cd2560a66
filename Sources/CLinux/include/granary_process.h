/* Starting, awaiting and killing child processes. */
#ifndef GRANARY_PROCESS_H
#define GRANARY_PROCESS_H

#include <stdint.h>

/* Resource limits of a child; UINT64_MAX leaves a limit as it is. */
typedef struct {
  uint64_t address_space_bytes;
  uint64_t cpu_seconds;
  uint64_t file_bytes;
  uint64_t open_files;
  uint64_t processes;
  uint64_t stack_bytes;
} granary_limits;

/* What a child is shut in by, before the program starts. */
typedef struct {
  /* Whether it gets user, process, network, System V and host name namespaces of its own. */
  int32_t namespaces;
  /* The only directory in which it may change files, by Landlock; NULL for no restriction. */
  const char *writable;
} granary_confinement;

typedef struct {
  int32_t pid;
  /* Readable once the child has ended. */
  int32_t pidfd;
  /* Whether the namespaces were granted. */
  int32_t namespaces;
} granary_child;

/* Starts `path` as the leader of a process group of its own, in `directory`, with default signals.
 *
 * Descriptor i of the child is fds[i], or /dev/null where fds[i] is -1; every other descriptor is closed.
 * Namespaces and Landlock are left out where the
 * kernel does not grant them. Returns 0, or a negated error number; the child then does not exist. */
int granary_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, const int *fds,
                  int fd_count, const granary_limits *limits, const granary_confinement *confinement,
                  granary_child *child);

/* Kills every process of the child's group, reaps the child and closes its pidfd.
 *
 * Returns the exit status, or minus the number of the signal that ended the child. */
int granary_end(granary_child child);

/* Waits until `fd` is readable, `pidfd` says that a process ended, or the time is over.
 *
 * Either may be -1. Returns a mask: 1 for `fd`, 2 for `pidfd`, 0 for neither in time. */
int granary_await(int fd, int pidfd, int64_t timeout_nanoseconds);

/* Makes a pipe whose ends no child inherits. Returns 0 or a negated error number. */
int granary_pipe(int ends[2]);

/* Nanoseconds of the monotonic clock. */
uint64_t granary_now(void);

#endif
