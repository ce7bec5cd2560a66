#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "granary_sandbox.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "no system call filter for this architecture"
#endif

enum { MAXIMUM_INSTRUCTIONS = 256, X32_BIT = 0x40000000 };

typedef struct {
  struct sock_filter code[MAXIMUM_INSTRUCTIONS];
  unsigned short count;
} filter;

static void add(filter *f, struct sock_filter instruction) {
  if (f->count < MAXIMUM_INSTRUCTIONS) f->code[f->count] = instruction;
  f->count++;
}

#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP(code, k, yes, no))
#define RETURN(action) STATEMENT(BPF_RET | BPF_K, action)
#define LOAD(field) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))

/* Other architectures' numbers mean other calls: nothing is allowed to them. */
static void begin(filter *f) {
  f->count = 0;
  add(f, LOAD(arch));
  add(f, JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
  add(f, RETURN(SECCOMP_RET_KILL_PROCESS));
  add(f, LOAD(nr));
  add(f, JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
  add(f, RETURN(SECCOMP_RET_KILL_PROCESS));
}

static void on_call(filter *f, long number, unsigned action) {
  add(f, JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1));
  add(f, RETURN(action));
}

/* Allows a call when the low half of an argument has a value; the high half of an int means nothing. */
static void allow_with(filter *f, long number, int argument, unsigned value) {
  add(f, JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 4));
  add(f, STATEMENT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offsetof(struct seccomp_data, args) + 8 * argument)));
  add(f, JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
  add(f, RETURN(SECCOMP_RET_ALLOW));
  add(f, RETURN(SECCOMP_RET_KILL_PROCESS));
}

static int install(filter *f, unsigned otherwise) {
  add(f, RETURN(otherwise));
  if (f->count > MAXIMUM_INSTRUCTIONS) return -E2BIG;
  struct sock_fprog program = {.len = f->count, .filter = f->code};
  long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
  return result == 0 ? 0 : result < 0 ? -errno : -ESRCH;
}

static void allow_running(filter *f, int channel) {
  const long calls[] = {SYS_futex,      SYS_exit,          SYS_exit_group,      SYS_rt_sigreturn,
                        SYS_nanosleep,  SYS_clock_nanosleep, SYS_clock_gettime, SYS_sched_yield,
                        SYS_rt_sigprocmask, SYS_restart_syscall};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) on_call(f, calls[i], SECCOMP_RET_ALLOW);
  const long messages[] = {SYS_recvmsg, SYS_sendmsg, SYS_sendto};
  for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) allow_with(f, messages[i], 0, (unsigned)channel);
}

int granary_filter_for_running(int channel) {
  filter f;
  begin(&f);
  allow_running(&f, channel);
  return install(&f, SECCOMP_RET_KILL_PROCESS);
}

int granary_filter_for_loading(int channel) {
  filter f;
  begin(&f);
  allow_running(&f, channel);
  const long calls[] = {SYS_read,  SYS_pread64, SYS_close, SYS_lseek,     SYS_mmap,   SYS_munmap, SYS_mprotect,
                        SYS_brk,   SYS_madvise, SYS_fstat, SYS_newfstatat, SYS_getpid, SYS_gettid, SYS_getrandom,
                        SYS_seccomp};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) on_call(&f, calls[i], SECCOMP_RET_ALLOW);
  allow_with(&f, SYS_openat, 2, O_RDONLY | O_CLOEXEC);
  return install(&f, SECCOMP_RET_KILL_PROCESS);
}

int granary_filter_for_drivers(void) {
  filter f;
  begin(&f);
  const long calls[] = {SYS_ptrace,       SYS_process_vm_readv, SYS_process_vm_writev, SYS_mount, SYS_umount2,
                        SYS_init_module,  SYS_finit_module,     SYS_delete_module,     SYS_bpf,   SYS_keyctl,
                        SYS_add_key,      SYS_kexec_load,       SYS_reboot,            SYS_setns, SYS_pivot_root,
                        SYS_chroot,       SYS_userfaultfd,      SYS_pidfd_getfd,       SYS_pidfd_send_signal,
                        SYS_setsid,       SYS_setpgid};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) on_call(&f, calls[i], SECCOMP_RET_KILL_PROCESS);
  allow_with(&f, SYS_socket, 0, AF_UNIX);
  return install(&f, SECCOMP_RET_ALLOW);
}
