#define _GNU_SOURCE
#include "published.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "counting.h"
#include "digest.h"
#include "json.h"
#include "kernel.h"

/* The longest text in the folder, far above what the daemon writes. */
enum { TEXT_BYTES = 1 << 20 };
static const char hexadecimal[] = "0123456789abcdef";

/* Whether a file or folder is this user's or root's, and nobody else may write to it. */
static bool is_trusted(int descriptor, mode_t kind, struct stat *status) {
  return fstat(descriptor, status) == 0 && (status->st_mode & S_IFMT) == kind &&
         (status->st_uid == geteuid() || status->st_uid == 0) && !(status->st_mode & (S_IWGRP | S_IWOTH));
}

/* Opens folder/kind/name, where name is a digest. */
static int open_part(int folder, const char *kind, const char *name, struct stat *status) {
  char path[96];
  if (strlen(name) != 64 || strspn(name, hexadecimal) != 64) return -1;
  snprintf(path, sizeof path, "%s/%s", kind, name);
  int descriptor = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor >= 0 && !is_trusted(descriptor, S_IFREG, status)) {
    close(descriptor);
    return -1;
  }
  return descriptor;
}

/* Reads a whole text, allocated, with room for `more` bytes behind it. Tells the time of use when asked to. */
static char *read_part(int folder, const char *kind, const char *name, size_t more, bool used, size_t *count) {
  struct stat status;
  int descriptor = open_part(folder, kind, name, &status);
  if (descriptor < 0) return NULL;
  char *text = status.st_size <= TEXT_BYTES ? malloc((size_t)status.st_size + more + 1) : NULL;
  ssize_t length = text ? read(descriptor, text, (size_t)status.st_size) : -1;
  if (used) futimens(descriptor, NULL);
  close(descriptor);
  if (length != status.st_size || length < 2) {
    free(text);
    return NULL;
  }
  text[length] = 0;
  *count = (size_t)length;
  return text;
}

/* The answer that the daemon would give: what holds for the kernel's key, with the spec's own names of the inputs. */
static char *read_answer(int folder, const char *spec_digest, bool used, size_t *count) {
  size_t spec_count, kernel_count;
  json parsed, value;
  char *answer = NULL, *text = read_part(folder, "specs", spec_digest, 0, false, &spec_count);
  char *key = text && json_parse(text, spec_count, &parsed) && json_member(parsed, "kernel", &value)
                  ? json_copy(value) : NULL;
  char *kernel = key ? read_part(folder, "kernels", key, spec_count, used, &kernel_count) : NULL;
  /* {...spec} and {...kernel} become {...kernel,...spec}. */
  if (kernel && kernel[kernel_count - 1] == '}' && text[0] == '{') {
    kernel[kernel_count - 1] = ',';
    memcpy(kernel + kernel_count, text + 1, spec_count);
    *count = kernel_count + spec_count - 1;
    answer = kernel;
    kernel = NULL;
  }
  free(kernel);
  free(key);
  free(text);
  return answer;
}

static int32_t load_artifact(int folder, granary_kernel *kernel, json answer) {
  struct stat status;
  int descriptor = open_part(folder, "artifacts", kernel->description.artifact, &status);
  if (descriptor < 0) return GRANARY_NO_KERNEL;
  size_t count = (size_t)status.st_size;
  void *bytes = count ? mmap(NULL, count, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0) : MAP_FAILED;
  close(descriptor);
  if (bytes == MAP_FAILED) return GRANARY_ENVIRONMENT;
  int32_t loaded = granary_kernel_load(kernel, bytes, count, answer);
  munmap(bytes, count);
  return loaded;
}

/* A tuned kernel is what each policy wants; a baseline is not what "tuned" waits for. */
static bool suits(json answer, const char *policy) {
  json verdict;
  if (!json_member(answer, "verdict", &verdict)) return false;
  return json_equals(verdict, "tuned") || (json_equals(verdict, "baseline") && strcmp(policy, "tuned") != 0);
}

static bool find_in(int folder, const granary_question *question, granary_kernel **kernel) {
  char digest[65];
  size_t count;
  json answer;
  granary_digest(question->spec, strlen(question->spec), digest);
  char *text = read_answer(folder, digest, true, &count);
  *kernel = NULL;
  if (text && json_parse(text, count, &answer) && suits(answer, question->policy) &&
      granary_kernel_describe(answer, kernel) == GRANARY_OK &&
      load_artifact(folder, *kernel, answer) != GRANARY_OK) {
    granary_kernel_discard(*kernel);
    *kernel = NULL;
  }
  free(text);
  return *kernel != NULL;
}

bool granary_published_find(const granary_question *question, const char *path, granary_kernel **kernel) {
  struct stat status;
  int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  bool found = is_trusted(folder, S_IFDIR, &status) && find_in(folder, question, kernel);
  close(folder);
  if (!found) return false;
  granary_counted(kernels_loaded);
  *kernel = granary_table_keep(question, *kernel);
  return true;
}
