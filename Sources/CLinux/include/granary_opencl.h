/* OpenCL kernels through a library that is opened at run time. */
#ifndef GRANARY_OPENCL_H
#define GRANARY_OPENCL_H

#include <stddef.h>
#include <stdint.h>

typedef struct granary_device granary_device;

/* Opens the first device of the first platform, or returns NULL and says why in `error`. */
granary_device *granary_device_open(char *error, size_t error_capacity);

/* Builds a program from text. Returns 0, or -1 with the build log in `error`. */
int granary_device_build(granary_device *device, const char *text, size_t length, const char *options, char *error,
                         size_t error_capacity);

/* A part of the host's memory that the device uses in place. Returns a buffer or NULL. */
void *granary_device_buffer(granary_device *device, void *host, size_t size, int writable);

/* A part of a buffer, from `offset` on. Returns a buffer or NULL. */
void *granary_device_part(void *buffer, size_t offset, size_t size);

/* A function of the program with its arguments set. Returns a launchable function or NULL. */
void *granary_device_function(granary_device *device, const char *name, void *const *buffers, uint32_t count);

/* Queues one launch. Returns 0 or an OpenCL error. */
int granary_device_launch(granary_device *device, void *function, uint32_t dimensions, const size_t *global,
                          const size_t *local);

/* Makes what the host wrote to a buffer visible to the device, or what the device wrote visible to the host.
 * Returns 0 or an OpenCL error. */
int granary_device_exchange(granary_device *device, void *buffer, size_t size, int to_device);

/* Waits until the device is idle. Returns 0 or an OpenCL error. */
int granary_device_finish(granary_device *device);

#endif
