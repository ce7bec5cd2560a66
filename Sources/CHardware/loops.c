#include "loops.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define ROUNDS 4096

// Makes the compiler believe that `value` changes, so that no loop is folded away.
#define OPAQUE(value) __asm__ volatile("" : "+m"(value))

// Chains of multiply-adds, as many as registers allow: throughput is the bound, not latency. The longest
// product of latency and pipes known is 16 (Neoverse V: 4 pipes of 4 cycles).
#define DEFINE_FMA(NAME, ELEMENT, BYTES, CHAINS, TARGET)                                  \
  TARGET static double NAME(void) {                                                       \
    typedef ELEMENT vector __attribute__((vector_size(BYTES)));                           \
    vector scale = (vector){} + (ELEMENT)0.999, offset = (vector){} + (ELEMENT)0.001;     \
    OPAQUE(scale);                                                                        \
    OPAQUE(offset);                                                                       \
    vector chains[CHAINS];                                                                \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) chains[i] =       \
        offset + (ELEMENT)i;                                                              \
    _Pragma("clang loop unroll(disable)") for (int round = 0; round < ROUNDS; round++) {  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) chains[i] =     \
          chains[i] * scale + offset;                                                     \
    }                                                                                     \
    vector sum = chains[0];                                                               \
    _Pragma("clang loop unroll(full)") for (int i = 1; i < CHAINS; i++) sum += chains[i]; \
    OPAQUE(sum);                                                                          \
    return 2.0 * ROUNDS * CHAINS * (BYTES / sizeof(ELEMENT));                             \
  }

// How far ahead of use the fetching loops fetch: measured best for copies on Zen 5, flat from 4 to 16 KB.
#define AHEAD 8192
#define EACH _Pragma("clang loop unroll(full)") for (int j = 0; j < 8; j++)
#define FETCH(from) \
  __builtin_prefetch((const uint8_t *)(from) + AHEAD)

// Sums, fills and copies in vectors of BYTES; eight accumulators hide the latency of the additions.
#define DEFINE_MOVES(SUFFIX, BYTES, TARGET)                                                 \
  typedef uint64_t vector_##SUFFIX __attribute__((vector_size(BYTES)));                     \
  DEFINE_READ(read_##SUFFIX, vector_##SUFFIX, BYTES, TARGET, )                              \
  DEFINE_READ(read_ahead_##SUFFIX, vector_##SUFFIX, BYTES, TARGET, FETCH(from + i + j);)    \
  DEFINE_WRITE(write_##SUFFIX, volatile vector_##SUFFIX, BYTES, TARGET, PLAIN)              \
  DEFINE_WRITE(streaming_write_##SUFFIX, vector_##SUFFIX, BYTES, TARGET, STREAM)            \
  DEFINE_COPY(copy_##SUFFIX, volatile vector_##SUFFIX, BYTES, TARGET, PLAIN, )              \
  DEFINE_COPY(                                                                              \
      copy_ahead_##SUFFIX, volatile vector_##SUFFIX, BYTES, TARGET, PLAIN, FETCH(from + i + j);) \
  DEFINE_COPY(streaming_copy_##SUFFIX, vector_##SUFFIX, BYTES, TARGET, STREAM, )

#define PLAIN(value, to) *(to) = value
#define STREAM(value, to) __builtin_nontemporal_store(value, to)

#define DEFINE_READ(NAME, VECTOR, BYTES, TARGET, FETCHING)              \
  TARGET static void NAME(const void *source, size_t bytes) {           \
    const VECTOR *from = source;                                        \
    VECTOR sums[8] = {};                                                \
    for (size_t i = 0; i < bytes / BYTES; i += 8) {                     \
      EACH {                                                            \
        FETCHING                                                        \
        sums[j] += from[i + j];                                         \
      }                                                                 \
    }                                                                   \
    VECTOR sum = {};                                                    \
    EACH sum += sums[j];                                                \
    OPAQUE(sum);                                                        \
  }

#define DEFINE_WRITE(NAME, VECTOR, BYTES, TARGET, STORE)                \
  TARGET static void NAME(void *destination, size_t bytes) {            \
    VECTOR *to = destination;                                           \
    for (size_t i = 0; i < bytes / BYTES; i += 8) {                     \
      EACH STORE((VECTOR){}, to + i + j);                               \
    }                                                                   \
    __atomic_thread_fence(__ATOMIC_SEQ_CST);                            \
  }

#define DEFINE_COPY(NAME, VECTOR, BYTES, TARGET, STORE, FETCHING)                 \
  TARGET static void NAME(void *destination, const void *source, size_t bytes) {  \
    const VECTOR *from = source;                                                  \
    VECTOR *to = destination;                                                     \
    for (size_t i = 0; i < bytes / BYTES; i += 8) {                               \
      EACH {                                                                      \
        FETCHING                                                                  \
        STORE(from[i + j], to + i + j);                                           \
      }                                                                           \
    }                                                                             \
    __atomic_thread_fence(__ATOMIC_SEQ_CST);                                      \
  }

#if defined(__x86_64__)

#define AVX512 __attribute__((target("avx512f")))
#define AVX2 __attribute__((target("avx2,fma")))
#define AVX __attribute__((target("avx")))

DEFINE_FMA(fma_f64_avx512, double, 64, 24, AVX512)
DEFINE_FMA(fma_f32_avx512, float, 64, 24, AVX512)
DEFINE_FMA(fma_f64_avx2, double, 32, 12, AVX2)
DEFINE_FMA(fma_f32_avx2, float, 32, 12, AVX2)
DEFINE_FMA(fma_f64_avx, double, 32, 12, AVX)
DEFINE_FMA(fma_f32_avx, float, 32, 12, AVX)
DEFINE_FMA(fma_f64_base, double, 16, 12, )
DEFINE_FMA(fma_f32_base, float, 16, 12, )
DEFINE_MOVES(avx512, 64, AVX512)
DEFINE_MOVES(avx, 32, AVX)
DEFINE_MOVES(base, 16, )

#define DEFINE_DOT(NAME, ACCUMULATOR, ZERO, LEFT, RIGHT, STEP, PRODUCTS, TARGET)          \
  __attribute__((target(TARGET))) static double NAME(void) {                              \
    ACCUMULATOR chains[20];                                                               \
    __m512i bits = _mm512_set1_epi32(0x01010101);                                         \
    OPAQUE(bits);                                                                         \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 20; i++) chains[i] = ZERO;     \
    _Pragma("clang loop unroll(disable)") for (int round = 0; round < ROUNDS; round++) {  \
      _Pragma("clang loop unroll(full)") for (int i = 0; i < 20; i++) {                   \
        chains[i] = STEP(chains[i], LEFT, RIGHT);                                         \
        __asm__ volatile("" : "+v"(chains[i]));                                           \
      }                                                                                   \
    }                                                                                     \
    _Pragma("clang loop unroll(full)") for (int i = 0; i < 20; i++) __asm__ volatile(     \
        "" ::"v"(chains[i]));                                                             \
    return 2.0 * ROUNDS * 20 * PRODUCTS;                                                  \
  }

DEFINE_DOT(
    dot_bf16, __m512, _mm512_setzero_ps(), (__m512bh)bits, (__m512bh)bits, _mm512_dpbf16_ps, 32,
    "avx512f,avx512bf16")
DEFINE_DOT(
    dot_i8, __m512i, _mm512_setzero_si512(), bits, bits, _mm512_dpbusd_epi32, 64,
    "avx512f,avx512vnni")

static int has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static int has_fma(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
static int has_avx(void) { return __builtin_cpu_supports("avx"); }

int32_t granary_probe_available(granary_probe probe) {
  switch (probe) {
    case GRANARY_DOT_BF16: return has_avx512() && __builtin_cpu_supports("avx512bf16");
    case GRANARY_DOT_I8: return has_avx512() && __builtin_cpu_supports("avx512vnni");
    default: return 1;
  }
}

double granary_compute_chunk(granary_probe probe) {
  switch (probe) {
    case GRANARY_FMA_F64:
      return has_avx512() ? fma_f64_avx512() : has_fma() ? fma_f64_avx2()
             : has_avx()  ? fma_f64_avx()
                          : fma_f64_base();
    case GRANARY_FMA_F32:
      return has_avx512() ? fma_f32_avx512() : has_fma() ? fma_f32_avx2()
             : has_avx()  ? fma_f32_avx()
                          : fma_f32_base();
    case GRANARY_DOT_BF16: return dot_bf16();
    case GRANARY_DOT_I8: return dot_i8();
    default: return 0;
  }
}

#define MOVE(NAME, ...)                        \
  if (has_avx512()) {                          \
    NAME##_avx512(__VA_ARGS__);                \
  } else if (has_avx()) {                      \
    NAME##_avx(__VA_ARGS__);                   \
  } else {                                     \
    NAME##_base(__VA_ARGS__);                  \
  }

#else

DEFINE_FMA(fma_f64_base, double, 16, 24, )
DEFINE_FMA(fma_f32_base, float, 16, 24, )
DEFINE_MOVES(base, 16, )

int32_t granary_probe_available(granary_probe probe) {
  return probe != GRANARY_DOT_BF16 && probe != GRANARY_DOT_I8;
}

double granary_compute_chunk(granary_probe probe) {
  switch (probe) {
    case GRANARY_FMA_F64: return fma_f64_base();
    case GRANARY_FMA_F32: return fma_f32_base();
    default: return 0;
  }
}

#define MOVE(NAME, ...) NAME##_base(__VA_ARGS__);

#endif

void granary_read_chunk(const void *source, size_t bytes) { MOVE(read, source, bytes) }

void granary_read_ahead_chunk(const void *source, size_t bytes) { MOVE(read_ahead, source, bytes) }

void granary_write_chunk(void *destination, size_t bytes) { MOVE(write, destination, bytes) }

void granary_streaming_write_chunk(void *destination, size_t bytes) {
  MOVE(streaming_write, destination, bytes)
}

void granary_copy_chunk(void *destination, const void *source, size_t bytes) {
  MOVE(copy, destination, source, bytes)
}

void granary_copy_ahead_chunk(void *destination, const void *source, size_t bytes) {
  MOVE(copy_ahead, destination, source, bytes)
}

void granary_streaming_copy_chunk(void *destination, const void *source, size_t bytes) {
  MOVE(streaming_copy, destination, source, bytes)
}
