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
  void *buffer[5];
  unsigned char *shared;
  unsigned char *scratch;
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
INLINE float g_exp_f32(float x) {
  x = g_pick_f32(x < -104.0f, (float){0} - 104.0f, x);
  x = g_pick_f32(x > 89.0f, (float){0} + 89.0f, x);
  float n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  int32_t k = g_toInt_f32(n), h = k >> 1;
  return p * g_power2_f32(h) * g_power2_f32(k - h);
}
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
INLINE f32x16 g_exp_f32x16(f32x16 x) {
  x = g_pick_f32x16(x < -104.0f, (f32x16){0} - 104.0f, x);
  x = g_pick_f32x16(x > 89.0f, (f32x16){0} + 89.0f, x);
  f32x16 n = (x * 1.44269504088896341f + 12582912.0f) - 12582912.0f;
  f32x16 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32x16 p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  i32x16 k = g_toInt_f32x16(n), h = k >> 1;
  return p * g_power2_f32x16(h) * g_power2_f32x16(k - h);
}
INLINE f32x16 g_load_f32x16(const float *p) { return *(const f32x16_u *)p; }
INLINE float g_maximum_f32(float x, float y) { return g_pick_f32((x > y) | (x != x), x, y); }
INLINE f32x16 g_maximum_f32x16(f32x16 x, f32x16 y) { return g_pick_f32x16((x > y) | (x != x), x, y); }
INLINE float g_reduce_add_f32x16(f32x16 x) {
  float a[16];
  for (int l = 0; l < 16; l++) a[l] = x[l];
  for (int s = 8; s > 0; s /= 2)
    for (int l = 0; l < s; l++) a[l] = (float)(a[l] + a[l + s]);
  return a[0];
}
INLINE float g_reduce_maximum_f32x16(f32x16 x) {
  float a[16];
  for (int l = 0; l < 16; l++) a[l] = x[l];
  for (int s = 8; s > 0; s /= 2)
    for (int l = 0; l < s; l++) a[l] = (float)(g_maximum_f32(a[l], a[l + s]));
  return a[0];
}
INLINE f32x16 g_set_f32x16(float x) { return (f32x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b1 = call->buffer[1];
  float b2[16] __attribute__((aligned(64)));
  float b3[256] __attribute__((aligned(64)));
  float b4[16] __attribute__((aligned(64)));
  const int64_t first = block * 64L / 1;
  const int64_t end = (block + 1) * 64L / 1;
  for (int64_t point = first; point < end; point++) {
    const int64_t i1 = point;
    (void)i1;
    {
      f32x16 a1 = g_set_f32x16((-__builtin_inff()));
      f32x16 a2 = g_set_f32x16((-__builtin_inff()));
      f32x16 a3 = g_set_f32x16((-__builtin_inff()));
      f32x16 a4 = g_set_f32x16((-__builtin_inff()));
      float a5 = (-__builtin_inff());
      int64_t i6 = 0;
      for (; i6 + 64 <= 256; i6 += 64) {
        a1 = g_maximum_f32x16(a1, g_load_f32x16(b0 + i1 * 256 + i6));
        a2 = g_maximum_f32x16(a2, g_load_f32x16(b0 + i1 * 256 + i6 + 16));
        a3 = g_maximum_f32x16(a3, g_load_f32x16(b0 + i1 * 256 + i6 + 32));
        a4 = g_maximum_f32x16(a4, g_load_f32x16(b0 + i1 * 256 + i6 + 48));
      }
      for (; i6 + 16 <= 256; i6 += 16) {
        a1 = g_maximum_f32x16(a1, g_load_f32x16(b0 + i1 * 256 + i6));
      }
      for (; i6 + 1 <= 256; i6 += 1) {
        a5 = g_maximum_f32(a5, b0[i1 * 256 + i6]);
      }
      a5 = g_maximum_f32(a5, g_reduce_maximum_f32x16(g_maximum_f32x16(g_maximum_f32x16(a1, a2), g_maximum_f32x16(a3, a4))));
      b2[0] = a5;
    }
    {
      int64_t i7 = 0;
      for (; i7 + 64 <= 256; i7 += 64) {
        g_store_f32x16(b3 + i7, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7) - g_set_f32x16(b2[0]))));
        g_store_f32x16(b3 + i7 + 16, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 16) - g_set_f32x16(b2[0]))));
        g_store_f32x16(b3 + i7 + 32, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 32) - g_set_f32x16(b2[0]))));
        g_store_f32x16(b3 + i7 + 48, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 48) - g_set_f32x16(b2[0]))));
      }
      for (; i7 + 16 <= 256; i7 += 16) {
        g_store_f32x16(b3 + i7, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7) - g_set_f32x16(b2[0]))));
      }
      for (; i7 + 1 <= 256; i7 += 1) {
        b3[i7] = g_exp_f32((b0[i1 * 256 + i7] - b2[0]));
      }
    }
    {
      f32x16 a6 = g_set_f32x16(0.0f);
      f32x16 a7 = g_set_f32x16(0.0f);
      f32x16 a8 = g_set_f32x16(0.0f);
      f32x16 a9 = g_set_f32x16(0.0f);
      float a10 = 0.0f;
      int64_t i8 = 0;
      for (; i8 + 64 <= 256; i8 += 64) {
        a6 = (a6 + g_load_f32x16(b3 + i8));
        a7 = (a7 + g_load_f32x16(b3 + i8 + 16));
        a8 = (a8 + g_load_f32x16(b3 + i8 + 32));
        a9 = (a9 + g_load_f32x16(b3 + i8 + 48));
      }
      for (; i8 + 16 <= 256; i8 += 16) {
        a6 = (a6 + g_load_f32x16(b3 + i8));
      }
      for (; i8 + 1 <= 256; i8 += 1) {
        a10 = (a10 + b3[i8]);
      }
      a10 = (a10 + g_reduce_add_f32x16(((a6 + a7) + (a8 + a9))));
      b4[0] = a10;
    }
    {
      int64_t i9 = 0;
      for (; i9 + 64 <= 256; i9 += 64) {
        g_store_f32x16(b1 + i1 * 256 + i9, (g_load_f32x16(b3 + i9) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 16, (g_load_f32x16(b3 + i9 + 16) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 32, (g_load_f32x16(b3 + i9 + 32) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 48, (g_load_f32x16(b3 + i9 + 48) / g_set_f32x16(b4[0])));
      }
      for (; i9 + 16 <= 256; i9 += 16) {
        g_store_f32x16(b1 + i1 * 256 + i9, (g_load_f32x16(b3 + i9) / g_set_f32x16(b4[0])));
      }
      for (; i9 + 1 <= 256; i9 += 1) {
        b1[i1 * 256 + i9] = (b3[i9] / b4[0]);
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
  call.buffer[1] = outputs[0];
  call.buffer[2] = 0;
  call.buffer[3] = 0;
  call.buffer[4] = 0;
  call.shared = memory + 0;
  call.scratch = memory + 0;
  kernel0(&call, 0, 0);
  return 0;
}
