#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "digest.h"
#include "failure.h"
#include "kernel.h"

#if defined(__x86_64__)
static const char architecture[] = "x86_64";
static const char features_line[] = "flags";
#elif defined(__aarch64__)
static const char architecture[] = "aarch64";
static const char features_line[] = "Features";
#else
#error "Granary has kernels for x86_64 and aarch64"
#endif

/* The features of each processor, one a line, each feature between spaces; empty when they cannot be read. */
static char *processors;
static pthread_once_t processors_read = PTHREAD_ONCE_INIT;

static void read_processors(void) {
  FILE *file = fopen("/proc/cpuinfo", "re"), *text = NULL;
  size_t size = 0, capacity = 0;
  char *line = NULL;
  if (file) text = open_memstream(&processors, &size);
  while (text && getline(&line, &capacity, file) > 0) {
    char *colon = strchr(line, ':');
    if (!colon || strncmp(line, features_line, sizeof features_line - 1) != 0) continue;
    colon[strcspn(colon, "\n")] = 0;
    fprintf(text, "%s \n", colon + 1);
  }
  free(line);
  if (text) fclose(text);
  if (file) fclose(file);
}

/* Whether every processor has a feature: a thread may be moved to any. */
static bool has_feature(const char *name, size_t count) {
  if (!processors || !*processors) return false;
  for (const char *line = processors; *line; line = strchr(line, '\n') + 1) {
    const char *end = strchr(line, '\n'), *at = line;
    while ((at = memmem(at, (size_t)(end - at), name, count)) && (at == line || at[-1] != ' ' || at[count] != ' ')) at++;
    if (!at) return false;
  }
  return true;
}

static int32_t check(json answer) {
  json manifest, interface, value, feature;
  int64_t abi;
  pthread_once(&processors_read, read_processors);
  if (!json_member(answer, "manifest", &manifest) || !json_member(manifest, "interface", &interface) ||
      !json_member(interface, "abi", &value) || !json_natural(value, &abi) ||
      abi != (json_member(interface, "open_sizes", &feature) ? GRANARY_FAMILY_ABI : GRANARY_KERNEL_ABI))
    return granary_fail(GRANARY_UNSUPPORTED, "the kernel has another ABI than this library");
  if (!json_member(manifest, "language", &value) || !json_equals(value, "c"))
    return granary_fail(GRANARY_UNSUPPORTED, "the kernel is not for the host");
  if (!json_member(manifest, "architecture", &value) || !json_equals(value, architecture))
    return granary_fail(GRANARY_UNSUPPORTED, "the kernel is for another architecture than %s", architecture);
  if (!json_member(manifest, "required_features", &value))
    return granary_fail(GRANARY_BAD_ANSWER, "the manifest does not say which features the kernel requires");
  const char *cursor = NULL;
  while (json_next(value, &cursor, &feature)) {
    int count = (int)(feature.end - feature.start) - 2;
    if (!json_is_text(feature) || count < 1 || !has_feature(feature.start + 1, (size_t)count))
      return granary_fail(GRANARY_UNSUPPORTED, "this processor has no %.*s", count, feature.start + 1);
  }
  return GRANARY_OK;
}

/* A path of a descriptor that no other call of this process gets. The dynamic linker takes a path that it has seen
 * for the object it has loaded, though the number now belongs to another file. */
static void unique_path(int descriptor, char path[512]) {
  static _Atomic uint64_t serial;
  uint64_t bits = atomic_fetch_add(&serial, 1);
  char *to = path + sprintf(path, "/proc/self/fd/");
  for (; bits; bits >>= 1) to += sprintf(to, bits & 1 ? "./" : ".//");
  sprintf(to, "%d", descriptor);
}

/* Opens a shared object from memory: no file, so nothing to clean up and nothing to swap. */
static void *open_object(const char *bytes, size_t count) {
  int descriptor = memfd_create("granary-kernel", MFD_CLOEXEC);
  if (descriptor < 0) {
    granary_fail(GRANARY_ENVIRONMENT, "cannot make a file in memory: %s", strerror(errno));
    return NULL;
  }
  void *object = NULL;
  while (count > 0) {
    ssize_t written = write(descriptor, bytes, count);
    if (written <= 0 && errno != EINTR) break;
    bytes += written > 0 ? written : 0;
    count -= written > 0 ? (size_t)written : 0;
  }
  if (count > 0) {
    granary_fail(GRANARY_ENVIRONMENT, "cannot write a kernel into memory: %s", strerror(errno));
  } else {
    char path[512];
    unique_path(descriptor, path);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const char *reason = object ? NULL : dlerror();
    if (!object) granary_fail(GRANARY_ENVIRONMENT, "cannot load the kernel: %s", reason ? reason : "");
  }
  close(descriptor);
  return object;
}

int32_t granary_kernel_load(granary_kernel *kernel, const char *bytes, size_t count, json answer) {
  json manifest, interface, value;
  int32_t status = check(answer);
  if (status != GRANARY_OK) return status;
  char digest[65];
  granary_digest(bytes, count, digest);
  if (strcmp(digest, kernel->description.artifact) != 0)
    return granary_fail(GRANARY_BAD_ANSWER, "the artifact %s arrived damaged", kernel->description.artifact);
  json_member(answer, "manifest", &manifest);
  json_member(manifest, "interface", &interface);
  char *name = json_member(interface, "entry_point", &value) ? json_copy(value) : NULL;
  if (!name) return granary_fail(GRANARY_BAD_ANSWER, "the manifest names no entry point");
  kernel->object = open_object(bytes, count);
  void *symbol = kernel->object ? dlsym(kernel->object, name) : NULL;
  status = kernel->object ? GRANARY_BAD_ANSWER : GRANARY_ENVIRONMENT;
  if (symbol) {
    memcpy(&kernel->function, &symbol, sizeof symbol);
    status = GRANARY_OK;
  } else if (kernel->object) {
    granary_fail(status, "the artifact has no symbol %s", name);
  }
  free(name);
  return status;
}

void granary_kernel_discard(granary_kernel *kernel) {
  if (!kernel) return;
  if (kernel->object) dlclose(kernel->object);
  granary_kernel_discard_description(&kernel->description);
  free(kernel->open_sizes);
  free(kernel);
}
