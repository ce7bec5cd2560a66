#pragma once

#include "CNumerics.h"

#define INLINE static inline __attribute__((always_inline))

/* Defines `NAME` for each kind of vector registers, and a function of that name that chooses among them. */
#if defined(__x86_64__)
#define FOR_EACH_TARGET(RESULT, NAME, PARAMETERS, ARGUMENTS, ...)                         \
  __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl"))) static RESULT                            \
      NAME##_avx512 PARAMETERS __VA_ARGS__                                                \
  __attribute__((target("avx2"))) static RESULT NAME##_avx2 PARAMETERS __VA_ARGS__        \
  static RESULT NAME##_base PARAMETERS __VA_ARGS__                                        \
  RESULT NAME PARAMETERS {                                                                \
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")          \
        && __builtin_cpu_supports("avx512vl"))                                            \
      return NAME##_avx512 ARGUMENTS;                                                     \
    if (__builtin_cpu_supports("avx2")) return NAME##_avx2 ARGUMENTS;                     \
    return NAME##_base ARGUMENTS;                                                         \
  }
#else
#define FOR_EACH_TARGET(RESULT, NAME, PARAMETERS, ARGUMENTS, ...) \
  RESULT NAME PARAMETERS __VA_ARGS__
#endif
