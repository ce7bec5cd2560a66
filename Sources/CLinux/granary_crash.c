#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "granary_sandbox.h"

enum { SIGNAL_STACK_BYTES = 64 * 1024, SCRUBBED_BYTES = 64 * 1024, PREALLOCATED_BYTES = 1 << 20 };

static struct {
  int channel;
  const granary_region *regions;
  size_t count;
} reporting;

static void describe(uintptr_t address, granary_crash *crash) {
  for (size_t i = 0; i < reporting.count; i++) {
    const granary_region *region = &reporting.regions[i];
    if (address < region->first || address >= region->end) continue;
    crash->kind = region->kind;
    crash->index = region->index;
    crash->side = address < region->buffer ? -1 : address >= region->buffer_end ? 1 : 0;
  }
}

static void on_crash(int signal_number, siginfo_t *info, void *context) {
  (void)context;
  granary_crash crash = {GRANARY_CRASH_MAGIC, signal_number, -1, -1, 0};
  if (signal_number == SIGSEGV || signal_number == SIGBUS) describe((uintptr_t)info->si_addr, &crash);
  send(reporting.channel, &crash, sizeof crash, MSG_NOSIGNAL | MSG_DONTWAIT);
  _exit(128 + signal_number);
}

int granary_report_crashes(int channel, const granary_region *regions, size_t count) {
  static char stack[SIGNAL_STACK_BYTES];
  reporting.channel = channel;
  reporting.regions = regions;
  reporting.count = count;
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternative, NULL) != 0) return -errno;
  struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND};
  const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGXCPU};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
    if (sigaction(signals[i], &action, NULL) != 0) return -errno;
  return 0;
}

__attribute__((noinline)) void granary_scrub_stack(void) {
  char space[SCRUBBED_BYTES];
  memset(space, 0xA5, sizeof space);
  __asm__ volatile("" : : "r"(space) : "memory");
}

void granary_preallocate(void) {
  mallopt(M_TOP_PAD, PREALLOCATED_BYTES);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_MMAP_THRESHOLD, PREALLOCATED_BYTES);
  mallopt(M_ARENA_MAX, 1);
  void *space = malloc(PREALLOCATED_BYTES / 2);
  if (space) memset(space, 0, PREALLOCATED_BYTES / 2);
  free(space);
}
