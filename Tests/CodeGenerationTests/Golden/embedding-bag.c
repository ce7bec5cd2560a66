#include <stdint.h>

#if !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef void (*granary_body)(void *argument, int64_t index, int32_t thread);
typedef struct granary_context {
  uint32_t size;
  int32_t thread_count;
  void (*parallel_for)(const struct granary_context *context, int64_t count, granary_body body,
                       void *argument);
  void *host;
} granary_context;

typedef struct {
  void *buffer[3];
  unsigned char *shared;
  unsigned char *scratch;
  int32_t outOfRange;
} granary_call;

#define INLINE static inline __attribute__((always_inline, unused))
typedef double f64x16 __attribute__((vector_size(128)));
typedef double f64x16_u __attribute__((vector_size(128), aligned(1), may_alias));
typedef float f32x16 __attribute__((vector_size(64)));
typedef float f32x16_u __attribute__((vector_size(64), aligned(1), may_alias));
typedef uint16_t f16x16 __attribute__((vector_size(32)));
typedef uint16_t f16x16_u __attribute__((vector_size(32), aligned(1), may_alias));
typedef uint16_t bf16x16 __attribute__((vector_size(32)));
typedef uint16_t bf16x16_u __attribute__((vector_size(32), aligned(1), may_alias));
typedef int64_t i64x16 __attribute__((vector_size(128)));
typedef int64_t i64x16_u __attribute__((vector_size(128), aligned(1), may_alias));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16_u __attribute__((vector_size(64), aligned(1), may_alias));
typedef int16_t i16x16 __attribute__((vector_size(32)));
typedef int16_t i16x16_u __attribute__((vector_size(32), aligned(1), may_alias));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef int8_t i8x16_u __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint8_t u8x16_u __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint8_t boolx16 __attribute__((vector_size(16)));
typedef uint8_t boolx16_u __attribute__((vector_size(16), aligned(1), may_alias));
INLINE f32x16 g_load_f32x16(const float *p) { return *(const f32x16_u *)p; }
INLINE f32x16 g_set_f32x16(float x) { return (f32x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void granary_check1(void *argument, int64_t block, int32_t thread) {
  granary_call *call = argument;
  const int64_t *x = call->buffer[1];
  int bad = 0;
  for (int64_t d0 = 0; d0 < 128; d0++)
    bad |= (uint64_t)((int64_t)x[d0 * 1] - (0)) >= 100UL;
  if (bad) __atomic_store_n(&call->outOfRange, 1, __ATOMIC_RELAXED);
}

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  const int64_t *restrict b1 = call->buffer[1];
  float *restrict b2 = call->buffer[2];
  const int64_t first = block * 16L / 1;
  const int64_t end = (block + 1) * 16L / 1;
  int64_t point = first;
  for (; point < end; point++) {
    const int64_t t2_from = (point % 1) * 64;
    const int64_t t2_to = t2_from + 64 < 64 ? t2_from + 64 : 64;
    const int64_t i1 = point;
    (void)i1;
    {
      int64_t i2 = t2_from;
      for (; i2 + 64 <= t2_to; i2 += 64) {
        {
          f32x16 a1 = g_set_f32x16(0.0f);
          f32x16 a2 = g_set_f32x16(0.0f);
          f32x16 a3 = g_set_f32x16(0.0f);
          f32x16 a4 = g_set_f32x16(0.0f);
          for (int64_t i4 = 0; i4 < 8; i4++) {
            a1 = (a1 + g_load_f32x16(b0 + b1[i1 * 8 + i4] * 64 + i2));
            a2 = (a2 + g_load_f32x16(b0 + b1[i1 * 8 + i4] * 64 + i2 + 16));
            a3 = (a3 + g_load_f32x16(b0 + b1[i1 * 8 + i4] * 64 + i2 + 32));
            a4 = (a4 + g_load_f32x16(b0 + b1[i1 * 8 + i4] * 64 + i2 + 48));
          }
          g_store_f32x16(b2 + i1 * 64 + i2, a1);
          g_store_f32x16(b2 + i1 * 64 + i2 + 16, a2);
          g_store_f32x16(b2 + i1 * 64 + i2 + 32, a3);
          g_store_f32x16(b2 + i1 * 64 + i2 + 48, a4);
        }
      }
      for (; i2 + 16 <= t2_to; i2 += 16) {
        {
          f32x16 a5 = g_set_f32x16(0.0f);
          for (int64_t i4 = 0; i4 < 8; i4++) {
            a5 = (a5 + g_load_f32x16(b0 + b1[i1 * 8 + i4] * 64 + i2));
          }
          g_store_f32x16(b2 + i1 * 64 + i2, a5);
        }
      }
      for (; i2 + 1 <= t2_to; i2 += 1) {
        {
          float a6 = 0.0f;
          for (int64_t i4 = 0; i4 < 8; i4++) {
            a6 = (a6 + b0[b1[i1 * 8 + i4] * 64 + i2]);
          }
          b2[i1 * 64 + i2] = a6;
        }
      }
    }
  }
}

int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,
                      const granary_context *context) {
  granary_call call;
  unsigned char *memory = workspace;
  (void)memory; (void)inputs; (void)outputs; (void)context;
  call.buffer[0] = (void *)inputs[0];
  call.buffer[1] = (void *)inputs[1];
  call.buffer[2] = outputs[0];
  call.shared = memory + 0;
  call.scratch = memory + 0;
  call.outOfRange = 0;
  granary_check1(&call, 0, 0);
  if (call.outOfRange) return 1;
  kernel0(&call, 0, 0);
  return 0;
}
