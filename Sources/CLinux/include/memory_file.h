/* Files that live in memory only. */
#ifndef GRANARY_MEMORY_FILE_H
#define GRANARY_MEMORY_FILE_H

/* A file in memory that is closed on exec; -1 with errno on failure. memfd_create(2) needs _GNU_SOURCE. */
int granary_memory_file(const char *name);

#endif
