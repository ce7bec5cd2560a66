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
#if defined(__clang__)
#define G_SHUFFLE(I, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define G_SHUFFLE(I, x, y, ...) __builtin_shuffle(x, y, (I){__VA_ARGS__})
#endif
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
INLINE f32x16 g_larger_f32x16(f32x16 x, f32x16 y) { return g_pick_f32x16(x > y, x, y); }
INLINE f32x16 g_load_f32x16(const float *p) { return *(const f32x16_u *)p; }
INLINE float g_reduce_add_f32x16(f32x16 x) {
  f32x16 y;
  y = G_SHUFFLE(i32x16, x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x = x + y;
  y = G_SHUFFLE(i32x16, x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
  x = x + y;
  y = G_SHUFFLE(i32x16, x, x, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1);
  x = x + y;
  y = G_SHUFFLE(i32x16, x, x, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
  x = x + y;
  return x[0];
}
INLINE float g_reduce_larger_f32x16(f32x16 x) {
  f32x16 y;
  y = G_SHUFFLE(i32x16, x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x = g_larger_f32x16(x, y);
  y = G_SHUFFLE(i32x16, x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
  x = g_larger_f32x16(x, y);
  y = G_SHUFFLE(i32x16, x, x, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1);
  x = g_larger_f32x16(x, y);
  y = G_SHUFFLE(i32x16, x, x, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
  x = g_larger_f32x16(x, y);
  return x[0];
}
INLINE int32_t g_reduce_logicalOr_i32x16(i32x16 x) {
  i32x16 y;
  y = G_SHUFFLE(i32x16, x, x, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  x = x | y;
  y = G_SHUFFLE(i32x16, x, x, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3);
  x = x | y;
  y = G_SHUFFLE(i32x16, x, x, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1);
  x = x | y;
  y = G_SHUFFLE(i32x16, x, x, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0);
  x = x | y;
  return x[0];
}
INLINE f32x16 g_set_f32x16(float x) { return (f32x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b1 = call->buffer[1];
  float b2[32] __attribute__((aligned(64)));
  float b3[512] __attribute__((aligned(64)));
  float b4[32] __attribute__((aligned(64)));
  const int64_t first = block * 64L / 1;
  const int64_t end = (block + 1) * 64L / 1;
  int64_t point = first;
  for (; point + 2 <= end; point += 2) {
    const int64_t i1_0 = (point + 0);
    (void)i1_0;
    const int64_t i1_1 = (point + 1);
    (void)i1_1;
    {
      f32x16 a1 = g_set_f32x16((-__builtin_inff()));
      f32x16 a2 = g_set_f32x16((-__builtin_inff()));
      f32x16 a3 = g_set_f32x16((-__builtin_inff()));
      f32x16 a4 = g_set_f32x16((-__builtin_inff()));
      i32x16 n5 = {0};
      f32x16 a6 = g_set_f32x16((-__builtin_inff()));
      f32x16 a7 = g_set_f32x16((-__builtin_inff()));
      f32x16 a8 = g_set_f32x16((-__builtin_inff()));
      f32x16 a9 = g_set_f32x16((-__builtin_inff()));
      i32x16 n10 = {0};
      int64_t i6 = 0;
      for (; i6 < 256; i6 += 64) {
        const f32x16 v11 = g_load_f32x16(b0 + i1_0 * 256 + i6);
        a1 = g_larger_f32x16(a1, v11);
        const f32x16 v12 = g_load_f32x16(b0 + i1_1 * 256 + i6);
        a6 = g_larger_f32x16(a6, v12);
        const f32x16 v13 = g_load_f32x16(b0 + i1_0 * 256 + i6 + 16);
        a2 = g_larger_f32x16(a2, v13);
        const f32x16 v14 = g_load_f32x16(b0 + i1_1 * 256 + i6 + 16);
        a7 = g_larger_f32x16(a7, v14);
        const f32x16 v15 = g_load_f32x16(b0 + i1_0 * 256 + i6 + 32);
        a3 = g_larger_f32x16(a3, v15);
        const f32x16 v16 = g_load_f32x16(b0 + i1_1 * 256 + i6 + 32);
        a8 = g_larger_f32x16(a8, v16);
        const f32x16 v17 = g_load_f32x16(b0 + i1_0 * 256 + i6 + 48);
        a4 = g_larger_f32x16(a4, v17);
        const f32x16 v18 = g_load_f32x16(b0 + i1_1 * 256 + i6 + 48);
        a9 = g_larger_f32x16(a9, v18);
        n5 |= (v11 != v11) | (v13 != v13) | (v15 != v15) | (v17 != v17);
        n10 |= (v12 != v12) | (v14 != v14) | (v16 != v16) | (v18 != v18);
      }
      const float a19 = g_reduce_logicalOr_i32x16(n5) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a1, a2), g_larger_f32x16(a3, a4)));
      b2[0] = a19;
      const float a20 = g_reduce_logicalOr_i32x16(n10) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a6, a7), g_larger_f32x16(a8, a9)));
      b2[0 + 1 * 16] = a20;
    }
    {
      f32x16 a21 = g_set_f32x16(0.0f);
      f32x16 a22 = g_set_f32x16(0.0f);
      f32x16 a23 = g_set_f32x16(0.0f);
      f32x16 a24 = g_set_f32x16(0.0f);
      f32x16 a25 = g_set_f32x16(0.0f);
      f32x16 a26 = g_set_f32x16(0.0f);
      f32x16 a27 = g_set_f32x16(0.0f);
      f32x16 a28 = g_set_f32x16(0.0f);
      int64_t i7 = 0;
      for (; i7 < 256; i7 += 64) {
        __builtin_prefetch(b1 + i1_0 * 256 + i7 + 1024 + 0, 1);
        g_store_f32x16(b3 + i7, g_exp_f32x16((g_load_f32x16(b0 + i1_0 * 256 + i7) - g_set_f32x16(b2[0]))));
        const f32x16 v29 = g_load_f32x16(b3 + i7);
        a21 = (a21 + v29);
        __builtin_prefetch(b1 + i1_1 * 256 + i7 + 1024 + 0, 1);
        g_store_f32x16(b3 + i7 + 1 * 256, g_exp_f32x16((g_load_f32x16(b0 + i1_1 * 256 + i7) - g_set_f32x16(b2[0 + 1 * 16]))));
        const f32x16 v30 = g_load_f32x16(b3 + i7 + 1 * 256);
        a25 = (a25 + v30);
        __builtin_prefetch(b1 + i1_0 * 256 + i7 + 1024 + 16, 1);
        g_store_f32x16(b3 + i7 + 16, g_exp_f32x16((g_load_f32x16(b0 + i1_0 * 256 + i7 + 16) - g_set_f32x16(b2[0]))));
        const f32x16 v31 = g_load_f32x16(b3 + i7 + 16);
        a22 = (a22 + v31);
        __builtin_prefetch(b1 + i1_1 * 256 + i7 + 1024 + 16, 1);
        g_store_f32x16(b3 + i7 + 1 * 256 + 16, g_exp_f32x16((g_load_f32x16(b0 + i1_1 * 256 + i7 + 16) - g_set_f32x16(b2[0 + 1 * 16]))));
        const f32x16 v32 = g_load_f32x16(b3 + i7 + 1 * 256 + 16);
        a26 = (a26 + v32);
        __builtin_prefetch(b1 + i1_0 * 256 + i7 + 1024 + 32, 1);
        g_store_f32x16(b3 + i7 + 32, g_exp_f32x16((g_load_f32x16(b0 + i1_0 * 256 + i7 + 32) - g_set_f32x16(b2[0]))));
        const f32x16 v33 = g_load_f32x16(b3 + i7 + 32);
        a23 = (a23 + v33);
        __builtin_prefetch(b1 + i1_1 * 256 + i7 + 1024 + 32, 1);
        g_store_f32x16(b3 + i7 + 1 * 256 + 32, g_exp_f32x16((g_load_f32x16(b0 + i1_1 * 256 + i7 + 32) - g_set_f32x16(b2[0 + 1 * 16]))));
        const f32x16 v34 = g_load_f32x16(b3 + i7 + 1 * 256 + 32);
        a27 = (a27 + v34);
        __builtin_prefetch(b1 + i1_0 * 256 + i7 + 1024 + 48, 1);
        g_store_f32x16(b3 + i7 + 48, g_exp_f32x16((g_load_f32x16(b0 + i1_0 * 256 + i7 + 48) - g_set_f32x16(b2[0]))));
        const f32x16 v35 = g_load_f32x16(b3 + i7 + 48);
        a24 = (a24 + v35);
        __builtin_prefetch(b1 + i1_1 * 256 + i7 + 1024 + 48, 1);
        g_store_f32x16(b3 + i7 + 1 * 256 + 48, g_exp_f32x16((g_load_f32x16(b0 + i1_1 * 256 + i7 + 48) - g_set_f32x16(b2[0 + 1 * 16]))));
        const f32x16 v36 = g_load_f32x16(b3 + i7 + 1 * 256 + 48);
        a28 = (a28 + v36);
      }
      const float a37 = g_reduce_add_f32x16(((a21 + a22) + (a23 + a24)));
      b4[0] = a37;
      const float a38 = g_reduce_add_f32x16(((a25 + a26) + (a27 + a28)));
      b4[0 + 1 * 16] = a38;
    }
    {
      int64_t i9 = 0;
      for (; i9 < 256; i9 += 64) {
        g_store_f32x16(b1 + i1_0 * 256 + i9, (g_load_f32x16(b3 + i9) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1_1 * 256 + i9, (g_load_f32x16(b3 + i9 + 1 * 256) / g_set_f32x16(b4[0 + 1 * 16])));
        g_store_f32x16(b1 + i1_0 * 256 + i9 + 16, (g_load_f32x16(b3 + i9 + 16) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1_1 * 256 + i9 + 16, (g_load_f32x16(b3 + i9 + 1 * 256 + 16) / g_set_f32x16(b4[0 + 1 * 16])));
        g_store_f32x16(b1 + i1_0 * 256 + i9 + 32, (g_load_f32x16(b3 + i9 + 32) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1_1 * 256 + i9 + 32, (g_load_f32x16(b3 + i9 + 1 * 256 + 32) / g_set_f32x16(b4[0 + 1 * 16])));
        g_store_f32x16(b1 + i1_0 * 256 + i9 + 48, (g_load_f32x16(b3 + i9 + 48) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1_1 * 256 + i9 + 48, (g_load_f32x16(b3 + i9 + 1 * 256 + 48) / g_set_f32x16(b4[0 + 1 * 16])));
      }
    }
  }
  for (; point < end; point++) {
    const int64_t i1 = point;
    (void)i1;
    {
      f32x16 a39 = g_set_f32x16((-__builtin_inff()));
      f32x16 a40 = g_set_f32x16((-__builtin_inff()));
      f32x16 a41 = g_set_f32x16((-__builtin_inff()));
      f32x16 a42 = g_set_f32x16((-__builtin_inff()));
      i32x16 n43 = {0};
      int64_t i6 = 0;
      for (; i6 < 256; i6 += 64) {
        const f32x16 v44 = g_load_f32x16(b0 + i1 * 256 + i6);
        a39 = g_larger_f32x16(a39, v44);
        const f32x16 v45 = g_load_f32x16(b0 + i1 * 256 + i6 + 16);
        a40 = g_larger_f32x16(a40, v45);
        const f32x16 v46 = g_load_f32x16(b0 + i1 * 256 + i6 + 32);
        a41 = g_larger_f32x16(a41, v46);
        const f32x16 v47 = g_load_f32x16(b0 + i1 * 256 + i6 + 48);
        a42 = g_larger_f32x16(a42, v47);
        n43 |= (v44 != v44) | (v45 != v45) | (v46 != v46) | (v47 != v47);
      }
      const float a48 = g_reduce_logicalOr_i32x16(n43) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a39, a40), g_larger_f32x16(a41, a42)));
      b2[0] = a48;
    }
    {
      f32x16 a49 = g_set_f32x16(0.0f);
      f32x16 a50 = g_set_f32x16(0.0f);
      f32x16 a51 = g_set_f32x16(0.0f);
      f32x16 a52 = g_set_f32x16(0.0f);
      int64_t i7 = 0;
      for (; i7 < 256; i7 += 64) {
        __builtin_prefetch(b1 + i1 * 256 + i7 + 1024 + 0, 1);
        g_store_f32x16(b3 + i7, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7) - g_set_f32x16(b2[0]))));
        const f32x16 v53 = g_load_f32x16(b3 + i7);
        a49 = (a49 + v53);
        __builtin_prefetch(b1 + i1 * 256 + i7 + 1024 + 16, 1);
        g_store_f32x16(b3 + i7 + 16, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 16) - g_set_f32x16(b2[0]))));
        const f32x16 v54 = g_load_f32x16(b3 + i7 + 16);
        a50 = (a50 + v54);
        __builtin_prefetch(b1 + i1 * 256 + i7 + 1024 + 32, 1);
        g_store_f32x16(b3 + i7 + 32, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 32) - g_set_f32x16(b2[0]))));
        const f32x16 v55 = g_load_f32x16(b3 + i7 + 32);
        a51 = (a51 + v55);
        __builtin_prefetch(b1 + i1 * 256 + i7 + 1024 + 48, 1);
        g_store_f32x16(b3 + i7 + 48, g_exp_f32x16((g_load_f32x16(b0 + i1 * 256 + i7 + 48) - g_set_f32x16(b2[0]))));
        const f32x16 v56 = g_load_f32x16(b3 + i7 + 48);
        a52 = (a52 + v56);
      }
      const float a57 = g_reduce_add_f32x16(((a49 + a50) + (a51 + a52)));
      b4[0] = a57;
    }
    {
      int64_t i9 = 0;
      for (; i9 < 256; i9 += 64) {
        g_store_f32x16(b1 + i1 * 256 + i9, (g_load_f32x16(b3 + i9) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 16, (g_load_f32x16(b3 + i9 + 16) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 32, (g_load_f32x16(b3 + i9 + 32) / g_set_f32x16(b4[0])));
        g_store_f32x16(b1 + i1 * 256 + i9 + 48, (g_load_f32x16(b3 + i9 + 48) / g_set_f32x16(b4[0])));
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
