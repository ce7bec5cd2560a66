#define _GNU_SOURCE
#include "granary_process.h"
#include "granary_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* Descriptors are moved up here first, so that none is overwritten before it is used. */
enum { FIRST_FREE_DESCRIPTOR = 64, MAXIMUM_DESCRIPTORS = 32, CHILD_STACK_BYTES = 128 * 1024 };

typedef struct {
  const char *path;
  char *const *argv;
  char *const *envp;
  const char *directory;
  const int *fds;
  int fd_count;
  const granary_limits *limits;
  const char *writable;
  sigset_t mask;
  int error;
} request;

static int limit(int resource, uint64_t value) {
  if (value == UINT64_MAX) return 0;
  struct rlimit current;
  if (getrlimit(resource, &current) != 0) return -1;
  /* The hard limit of the CPU time is a second later, so that SIGXCPU arrives before SIGKILL. */
  rlim_t hard = resource == RLIMIT_CPU ? value + 1 : value;
  if (current.rlim_max != RLIM_INFINITY && hard > current.rlim_max) hard = current.rlim_max;
  struct rlimit wanted = {.rlim_cur = value < hard ? value : hard, .rlim_max = hard};
  return setrlimit(resource, &wanted);
}

static int apply_limits(const granary_limits *limits) {
  return limit(RLIMIT_AS, limits->address_space_bytes) | limit(RLIMIT_CPU, limits->cpu_seconds) |
         limit(RLIMIT_FSIZE, limits->file_bytes) | limit(RLIMIT_NOFILE, limits->open_files) |
         limit(RLIMIT_NPROC, limits->processes) | limit(RLIMIT_STACK, limits->stack_bytes) | limit(RLIMIT_CORE, 0);
}

static int arrange_descriptors(const request *r) {
  int moved[MAXIMUM_DESCRIPTORS];
  for (int i = 0; i < r->fd_count; i++) {
    int source = r->fds[i] >= 0 ? r->fds[i] : open("/dev/null", O_RDWR);
    moved[i] = fcntl(source, F_DUPFD, FIRST_FREE_DESCRIPTOR);
    if (moved[i] < 0) return -1;
  }
  for (int i = 0; i < r->fd_count; i++)
    if (dup2(moved[i], i) < 0) return -1;
  return (int)syscall(SYS_close_range, r->fd_count, ~0U, 0);
}

/* When memory runs out, what was started goes first, and not who started it. Raising needs no privilege; a system
   without /proc keeps its own order. */
static void volunteer_for_oom(void) {
  int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  if (write(file, "1000", 4) < 0) errno = 0;
  close(file);
}

/* Runs in the child, which shares the parent's memory until it executes the program: only system calls. */
static int child_main(void *argument) {
  request *r = argument;
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < 65; number++) sigaction(number, &standard, NULL);
  volunteer_for_oom();
  if (setpgid(0, 0) != 0 || arrange_descriptors(r) != 0 || (r->directory && chdir(r->directory) != 0) ||
      apply_limits(r->limits) != 0 || sigprocmask(SIG_SETMASK, &r->mask, NULL) != 0) {
    r->error = errno;
    _exit(127);
  }
  if (r->writable && granary_forgo_privileges() == 0) granary_restrict_files(1, r->writable);
  execve(r->path, r->argv, r->envp);
  r->error = errno;
  _exit(127);
}

int granary_spawn(const char *path, char *const argv[], char *const envp[], const char *directory, const int *fds,
                  int fd_count, const granary_limits *limits, const granary_confinement *confinement,
                  granary_child *child) {
  if (fd_count > MAXIMUM_DESCRIPTORS) return -EINVAL;
  request r = {path, argv, envp, directory, fds, fd_count, limits, confinement->writable, {{0}}, 0};
  char *stack = mmap(NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  /* No handler of the parent may run in the child while both share memory. */
  sigset_t everything, before;
  sigfillset(&everything);
  sigemptyset(&r.mask);
  pthread_sigmask(SIG_SETMASK, &everything, &before);
  int pidfd = -1;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  int namespaces =
      confinement->namespaces ? CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS : 0;
  int pid = clone(child_main, stack + CHILD_STACK_BYTES, flags | namespaces, &r, &pidfd);
  if (pid < 0 && namespaces) {
    namespaces = 0;
    pid = clone(child_main, stack + CHILD_STACK_BYTES, flags, &r, &pidfd);
  }
  int clone_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  munmap(stack, CHILD_STACK_BYTES);
  if (pid < 0) return -clone_error;
  *child = (granary_child){pid, pidfd, namespaces != 0};
  if (r.error == 0) return 0;
  granary_end(*child);
  return -r.error;
}

int granary_end(granary_child child) {
  /* Before the leader is reaped its number cannot be reused, so the group is still the child's. */
  kill(-child.pid, SIGKILL);
  siginfo_t info = {0};
  int result;
  do result = waitid((idtype_t)P_PIDFD, (id_t)child.pidfd, &info, WEXITED);
  while (result != 0 && errno == EINTR);
  close(child.pidfd);
  if (result != 0) return -SIGKILL;
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

int granary_await(int fd, int pidfd, int64_t timeout_nanoseconds) {
  struct pollfd polled[2] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
  uint64_t start = granary_now();
  for (;;) {
    int64_t left = timeout_nanoseconds - (int64_t)(granary_now() - start);
    if (left < 0) left = 0;
    struct timespec time = {left / 1000000000, left % 1000000000};
    int ready = ppoll(polled, 2, &time, NULL);
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return 0;
    return (polled[0].revents ? 1 : 0) | (polled[1].revents ? 2 : 0);
  }
}

int granary_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno; }

uint64_t granary_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
