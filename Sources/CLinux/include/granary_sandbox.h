/* What a process gives up for good before it runs code that nobody vouches for. */
#ifndef GRANARY_SANDBOX_H
#define GRANARY_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

/* No privileges through execve, no core dumps, no tracing by others of the same user, a private name.
 * Returns 0 or a negated error number. */
int granary_forgo_privileges(void);

/* Moves to an empty user, network and System V namespace. Returns 0 or a negated error number. */
int granary_leave_namespaces(void);

/* Denies every access to files by path, or, with `read_everything`, every change outside `writable`.
 * Memory files stay accessible. Returns the version of Landlock in force, or a negated error number. */
int granary_restrict_files(int read_everything, const char *writable);

/* Kills the process at any system call that loading a shared object from memory does not need.
 * Returns 0 or a negated error number. */
int granary_filter_for_loading(int channel);

/* Kills the process at any system call but messages over `channel`, futexes, clocks, sleeping and exit.
 * Returns 0 or a negated error number. */
int granary_filter_for_running(int channel);

/* Kills the process when it makes a socket that reaches further than this machine's files, traces another
 * process, mounts, loads a module, or sends a signal to another process group.
 * Returns 0 or a negated error number. */
int granary_filter_for_drivers(void);

/* A range of addresses that a crash report can name. */
typedef struct {
  uintptr_t first, end;
  /* The buffer itself, within its guard pages. */
  uintptr_t buffer, buffer_end;
  int32_t kind, index;
} granary_region;

/* The report of a crash, sent over the channel as the last message of the process. */
typedef struct {
  uint32_t magic;
  int32_t signal;
  /* Kind and position of the buffer that was hit, or -1. */
  int32_t kind, index;
  /* -1 before the buffer, 0 within, 1 behind it. */
  int32_t side;
} granary_crash;

enum { GRANARY_CRASH_MAGIC = 0x68435247 };

/* Reports a crash of this process over `channel`, naming the region that was hit. Keeps `regions`. */
int granary_report_crashes(int channel, const granary_region *regions, size_t count);

/* Overwrites the unused part of the stack, so that nothing is handed from one call to the next there. */
void granary_scrub_stack(void);

/* Makes the allocator ready to serve a megabyte without asking the system. */
void granary_preallocate(void);

#endif
