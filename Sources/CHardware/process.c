#define _GNU_SOURCE
#include "CHardware.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/utsname.h>

#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

const char *granary_libc_version(void) {
#ifdef __GLIBC__
  return gnu_get_libc_version();
#else
  return "";
#endif
}

void granary_machine_name(char *name, size_t size) {
  struct utsname system;
  snprintf(name, size, "%s", uname(&system) == 0 ? system.machine : "");
}

int32_t granary_usable_cores(int32_t *cores, int32_t capacity) {
  // The kernel refuses a set smaller than its own, so the size grows until it fits.
  for (int limit = 1024; limit <= 1 << 18; limit *= 4) {
    cpu_set_t *set = CPU_ALLOC(limit);
    if (set == NULL) return 0;
    size_t size = CPU_ALLOC_SIZE(limit);
    if (sched_getaffinity(0, size, set) == 0) {
      int32_t count = 0;
      for (int core = 0; core < limit; core++) {
        if (!CPU_ISSET_S(core, size, set)) continue;
        if (count < capacity) cores[count] = core;
        count++;
      }
      CPU_FREE(set);
      return count;
    }
    int reason = errno;
    CPU_FREE(set);
    if (reason != EINVAL) return 0;
  }
  return 0;
}

int32_t granary_scalable_vector_bytes(void) {
#if defined(__aarch64__) && defined(PR_SVE_GET_VL)
  int length = prctl(PR_SVE_GET_VL);
  return length < 0 ? 0 : length & PR_SVE_VL_LEN_MASK;
#else
  return 0;
#endif
}
