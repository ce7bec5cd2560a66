/* Where the daemon listens. */
#ifndef GRANARY_LOCATIONS_H
#define GRANARY_LOCATIONS_H

#include <stddef.h>

/* Writes the path of the socket that the environment gives, cut off at count bytes. */
void granary_default_socket(char *path, size_t count);

/* Writes the folder of kernels that are found without the daemon, and returns it. */
const char *granary_default_published(char *path, size_t count);

#endif
