#include "granary_opencl.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The part of the OpenCL 1.2 interface that is used (Khronos, cl.h); objects are opaque pointers. */
typedef int32_t status;
enum {
  READ_WRITE = 1,
  READ_ONLY = 4,
  USE_HOST_POINTER = 8,
  REGION = 0x1220,
  BUILD_LOG = 0x1183,
  MAP_READ = 1,
  MAP_WRITE = 2,
};
static const uint64_t ALL_DEVICES = 0xFFFFFFFF;

static struct {
  status (*platforms)(uint32_t, void **, uint32_t *);
  status (*devices)(void *, uint64_t, uint32_t, void **, uint32_t *);
  void *(*context)(const intptr_t *, uint32_t, void *const *, void *, void *, status *);
  void *(*queue)(void *, void *, uint64_t, status *);
  void *(*program)(void *, uint32_t, const char **, const size_t *, status *);
  status (*build)(void *, uint32_t, void *const *, const char *, void *, void *);
  status (*build_info)(void *, void *, uint32_t, size_t, void *, size_t *);
  void *(*buffer)(void *, uint64_t, size_t, void *, status *);
  void *(*part)(void *, uint64_t, uint32_t, const void *, status *);
  void *(*function)(void *, const char *, status *);
  status (*argument)(void *, uint32_t, size_t, const void *);
  status (*launch)(void *, void *, uint32_t, const size_t *, const size_t *, const size_t *, uint32_t, const void *,
                   void *);
  void *(*map)(void *, void *, uint32_t, uint64_t, size_t, size_t, uint32_t, const void *, void *, status *);
  status (*unmap)(void *, void *, void *, uint32_t, const void *, void *);
  status (*finish)(void *);
} cl;

struct granary_device {
  void *device, *context, *queue, *program;
};

static int load(void *library) {
  const struct {
    void **slot;
    const char *name;
  } symbols[] = {
      {(void **)&cl.platforms, "clGetPlatformIDs"},       {(void **)&cl.devices, "clGetDeviceIDs"},
      {(void **)&cl.context, "clCreateContext"},          {(void **)&cl.queue, "clCreateCommandQueue"},
      {(void **)&cl.program, "clCreateProgramWithSource"}, {(void **)&cl.build, "clBuildProgram"},
      {(void **)&cl.build_info, "clGetProgramBuildInfo"}, {(void **)&cl.buffer, "clCreateBuffer"},
      {(void **)&cl.part, "clCreateSubBuffer"},           {(void **)&cl.function, "clCreateKernel"},
      {(void **)&cl.argument, "clSetKernelArg"},          {(void **)&cl.launch, "clEnqueueNDRangeKernel"},
      {(void **)&cl.map, "clEnqueueMapBuffer"},           {(void **)&cl.unmap, "clEnqueueUnmapMemObject"},
      {(void **)&cl.finish, "clFinish"},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    if (!(*symbols[i].slot = dlsym(library, symbols[i].name))) return -1;
  return 0;
}

static granary_device *fail(char *error, size_t capacity, const char *message) {
  snprintf(error, capacity, "%s", message);
  return NULL;
}

granary_device *granary_device_open(char *error, size_t capacity) {
  void *library = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library || load(library) != 0) return fail(error, capacity, "libOpenCL.so.1 cannot be loaded");
  void *platform, *device;
  uint32_t count = 0;
  if (cl.platforms(1, &platform, &count) != 0 || count == 0) return fail(error, capacity, "no OpenCL platform");
  if (cl.devices(platform, ALL_DEVICES, 1, &device, &count) != 0) return fail(error, capacity, "no OpenCL device");
  granary_device *opened = calloc(1, sizeof *opened);
  if (!opened) return fail(error, capacity, "no memory");
  status result = 0;
  opened->device = device;
  opened->context = cl.context(NULL, 1, &device, NULL, NULL, &result);
  if (opened->context) opened->queue = cl.queue(opened->context, device, 0, &result);
  if (opened->queue) return opened;
  free(opened);
  return fail(error, capacity, "the OpenCL device cannot be used");
}

int granary_device_build(granary_device *device, const char *text, size_t length, const char *options, char *error,
                         size_t capacity) {
  status result = 0;
  device->program = cl.program(device->context, 1, &text, &length, &result);
  if (!device->program) return -1;
  if (cl.build(device->program, 1, &device->device, options, NULL, NULL) == 0) return 0;
  size_t size = 0;
  error[0] = 0;
  cl.build_info(device->program, device->device, BUILD_LOG, capacity - 1, error, &size);
  error[size < capacity ? size : capacity - 1] = 0;
  return -1;
}

void *granary_device_buffer(granary_device *device, void *host, size_t size, int writable) {
  status result = 0;
  return cl.buffer(device->context, (writable ? READ_WRITE : READ_ONLY) | USE_HOST_POINTER, size, host, &result);
}

void *granary_device_part(void *buffer, size_t offset, size_t size) {
  const size_t region[2] = {offset, size};
  status result = 0;
  return cl.part(buffer, READ_WRITE, REGION, region, &result);
}

void *granary_device_function(granary_device *device, const char *name, void *const *buffers, uint32_t count) {
  status result = 0;
  void *function = cl.function(device->program, name, &result);
  for (uint32_t i = 0; function && i < count; i++)
    if (cl.argument(function, i, sizeof(void *), &buffers[i]) != 0) return NULL;
  return function;
}

int granary_device_launch(granary_device *device, void *function, uint32_t dimensions, const size_t *global,
                          const size_t *local) {
  return cl.launch(device->queue, function, dimensions, NULL, global, local, 0, NULL, NULL);
}

int granary_device_exchange(granary_device *device, void *buffer, size_t size, int to_device) {
  status result = 0;
  void *mapped = cl.map(device->queue, buffer, 1, to_device ? MAP_WRITE : MAP_READ, 0, size, 0, NULL, NULL, &result);
  if (!mapped) return result ? result : -1;
  return cl.unmap(device->queue, buffer, mapped, 0, NULL, NULL);
}

int granary_device_finish(granary_device *device) { return cl.finish(device->queue); }
