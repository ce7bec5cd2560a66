/* Starting a process that outlives its caller. */
#ifndef GRANARY_SERVICE_H
#define GRANARY_SERVICE_H

#include <sys/types.h>

/* Starts a program in a session of its own, so that a terminal that closes does not end it, with its output appended to
   a log and none of the caller's other files: a lock or pipe of the caller's would stay taken with it.

   Returns 0, or an errno value. Sessions and closing files are posix_spawn(3) extensions that need _GNU_SOURCE. */
int granary_start_service(const char *path, char *const argv[], const char *log, pid_t *process);

#endif
