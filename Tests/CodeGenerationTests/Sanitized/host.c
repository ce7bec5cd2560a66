/* Runs one kernel in a process built with sanitizers, for `make sanitize`.
 *
 *     host LIBRARY ENTRY THREADS ALIGNMENT WORKSPACE_BYTES FOLDER INPUTS OUTPUT_BYTES...
 *
 * Reads FOLDER/input0, input1 and so on, each into a block of exactly its size and no better aligned than the kernel
 * asks, so that one byte too far and one assumption too many are seen; calls the kernel; writes its status as text to
 * FOLDER/status and its outputs to FOLDER/output0 and so on. */
#include <dlfcn.h>
#include <sanitizer/asan_interface.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "granary_kernel.h"
#include "granary_pool.h"

static void fail(const char *what) {
  fprintf(stderr, "host: %s\n", what);
  exit(2);
}

/* Noise between forbidden bytes; aligned as `alignment`, a power of two of at least 8, says and no better. */
static unsigned char *block(size_t bytes, size_t alignment) {
  void *memory = NULL;
  if (posix_memalign(&memory, 2 * alignment, alignment + bytes) != 0) fail("no memory");
  ASAN_POISON_MEMORY_REGION(memory, alignment);
  return memset((unsigned char *)memory + alignment, 0xA5, bytes);
}

static FILE *opened(const char *folder, const char *name, int position, const char *mode) {
  char path[4096];
  snprintf(path, sizeof path, position < 0 ? "%s/%s" : "%s/%s%d", folder, name, position);
  FILE *file = fopen(path, mode);
  if (!file) fail(path);
  return file;
}

static unsigned char *read_input(const char *folder, int position, size_t alignment, size_t *bytes) {
  FILE *file = opened(folder, "input", position, "rb");
  fseek(file, 0, SEEK_END);
  *bytes = (size_t)ftell(file);
  rewind(file);
  unsigned char *memory = block(*bytes, alignment);
  if (fread(memory, 1, *bytes, file) != *bytes) fail("cannot read an input");
  fclose(file);
  return memory;
}

static void write_output(const char *folder, int position, const void *memory, size_t bytes) {
  FILE *file = opened(folder, "output", position, "wb");
  if (fwrite(memory, 1, bytes, file) != bytes || fclose(file) != 0) fail("cannot write an output");
}

int main(int count, char **arguments) {
  if (count < 8) fail("too few arguments");
  size_t alignment = strtoull(arguments[4], NULL, 10);
  const char *folder = arguments[6];
  int inputs = atoi(arguments[7]), outputs = count - 8;
  void *library = dlopen(arguments[1], RTLD_NOW);
  if (!library) fail(dlerror());
  granary_kernel_function kernel = (granary_kernel_function)dlsym(library, arguments[2]);
  if (!kernel) fail("no entry");

  /* One more than needed: none has no address. */
  const void **given = calloc((size_t)inputs + 1, sizeof *given);
  void **results = calloc((size_t)outputs + 1, sizeof *results);
  unsigned char **copies = calloc((size_t)inputs + 1, sizeof *copies);
  size_t *sizes = calloc((size_t)inputs + 1, sizeof *sizes);
  for (int i = 0; i < inputs; i++) {
    given[i] = read_input(folder, i, alignment, &sizes[i]);
    copies[i] = block(sizes[i], alignment);
    memcpy(copies[i], given[i], sizes[i]);
  }
  for (int i = 0; i < outputs; i++) {
    results[i] = block(strtoull(arguments[8 + i], NULL, 10), alignment);
  }
  unsigned char *workspace = block(strtoull(arguments[5], NULL, 10), 64);
  granary_pool *pool = granary_pool_create(atoi(arguments[3]));
  if (!pool) fail("no pool");

  int32_t status = kernel(given, results, workspace, granary_pool_context(pool));

  granary_pool_destroy(pool);
  for (int i = 0; i < inputs; i++) {
    if (memcmp(given[i], copies[i], sizes[i]) != 0) fail("the kernel changed an input");
  }
  for (int i = 0; i < outputs; i++) {
    write_output(folder, i, results[i], strtoull(arguments[8 + i], NULL, 10));
  }
  FILE *file = opened(folder, "status", -1, "w");
  fprintf(file, "%d\n", status);
  return fclose(file) == 0 ? 0 : 2;
}
