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
INLINE float g_pick_f32(int m, float x, float y) { return m ? x : y; }
INLINE int32_t g_toInt_f32(float x) { return (int32_t)x; }
INLINE float g_toFloat_f32(int32_t x) { return (float)x; }
INLINE int32_t g_asInt_f32(float x) {
  union { int32_t i; float f; } u;
  u.f = x;
  return u.i;
}
INLINE float g_asFloat_f32(int32_t x) {
  union { int32_t i; float f; } u;
  u.i = x;
  return u.f;
}
INLINE float g_power2_f32(int32_t x) {
  union { int32_t i; float f; } u;
  u.i = (int32_t)((uint32_t)(x + 127) << 23);
  return u.f;
}
/* 2^(k-1) * 2exp(r): the low bits of t are those of k-1 with the exponent's bias */
INLINE float g_exp_f32(float x) {
  x = g_pick_f32(x < -87.5f, (float){0} - 87.5f, x);
  x = g_pick_f32(x > 89.0f, (float){0} + 89.0f, x);
  float t = x * 1.44269504088896341f + 12583038.0f, n = t - 12583038.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = r * 2.7629078e-3f + 1.673749e-2f;
  p = p * r + 8.333678e-2f;
  p = p * r + 3.3333042e-1f;
  p = p * r + 9.9999988e-1f;
  p = p * r + 2.0f;
  p = p * r + 2.0f;
  return p * g_asFloat_f32((int32_t)(g_asInt_f32(t) << 23));
}
INLINE float g_sigmoid_f32(float x) { return 1.0f / (1.0f + g_exp_f32(-x)); }
INLINE f32x16 g_pick_f32x16(i32x16 m, f32x16 x, f32x16 y) {
  return (f32x16)((m & (i32x16)x) | (~m & (i32x16)y));
}
INLINE i32x16 g_toInt_f32x16(f32x16 x) { return __builtin_convertvector(x, i32x16); }
INLINE f32x16 g_toFloat_f32x16(i32x16 x) { return __builtin_convertvector(x, f32x16); }
INLINE i32x16 g_asInt_f32x16(f32x16 x) { return (i32x16)x; }
INLINE f32x16 g_asFloat_f32x16(i32x16 x) { return (f32x16)x; }
INLINE f32x16 g_power2_f32x16(i32x16 x) {
  return (f32x16)((x + 127) << 23);
}
/* 2^(k-1) * 2exp(r): the low bits of t are those of k-1 with the exponent's bias */
INLINE f32x16 g_exp_f32x16(f32x16 x) {
  x = g_pick_f32x16(x < -87.5f, (f32x16){0} - 87.5f, x);
  x = g_pick_f32x16(x > 89.0f, (f32x16){0} + 89.0f, x);
  f32x16 t = x * 1.44269504088896341f + 12583038.0f, n = t - 12583038.0f;
  f32x16 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32x16 p = r * 2.7629078e-3f + 1.673749e-2f;
  p = p * r + 8.333678e-2f;
  p = p * r + 3.3333042e-1f;
  p = p * r + 9.9999988e-1f;
  p = p * r + 2.0f;
  p = p * r + 2.0f;
  return p * g_asFloat_f32x16((i32x16)(g_asInt_f32x16(t) << 23));
}
INLINE f32x16 g_sigmoid_f32x16(f32x16 x) { return 1.0f / (1.0f + g_exp_f32x16(-x)); }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  const float *restrict b1 = call->buffer[1];
  float *restrict b2 = call->buffer[2];
  const int64_t first = block * 64L / 1;
  const int64_t end = (block + 1) * 64L / 1;
  int64_t point = first;
  for (; point < end; point++) {
    const int64_t t2_from = (point % 1) * 256;
    const int64_t t2_to = t2_from + 256 < 256 ? t2_from + 256 : 256;
    const int64_t i1 = point;
    (void)i1;
    {
      int64_t i2 = t2_from;
      for (; i2 + 32 <= t2_to; i2 += 32) {
        g_store_f32x16(b2 + i1 * 256 + i2, ((g_load_f32x16(b0 + i1 * 256 + i2) * g_sigmoid_f32x16(g_load_f32x16(b0 + i1 * 256 + i2))) + g_load_f32x16(b1 + i2)));
        g_store_f32x16(b2 + i1 * 256 + i2 + 16, ((g_load_f32x16(b0 + i1 * 256 + i2 + 16) * g_sigmoid_f32x16(g_load_f32x16(b0 + i1 * 256 + i2 + 16))) + g_load_f32x16(b1 + i2 + 16)));
      }
      for (; i2 + 16 <= t2_to; i2 += 16) {
        g_store_f32x16(b2 + i1 * 256 + i2, ((g_load_f32x16(b0 + i1 * 256 + i2) * g_sigmoid_f32x16(g_load_f32x16(b0 + i1 * 256 + i2))) + g_load_f32x16(b1 + i2)));
      }
      for (; i2 + 1 <= t2_to; i2 += 1) {
        b2[i1 * 256 + i2] = ((b0[i1 * 256 + i2] * g_sigmoid_f32(b0[i1 * 256 + i2])) + b1[i2]);
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
  kernel0(&call, 0, 0);
  return 0;
}
