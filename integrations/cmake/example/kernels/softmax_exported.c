/* Written by `granary export-source`; not to be edited.
 * granary-spec: 55cfbfe66ce17b9749dba0bca4ca7e6f33dd11423dce067fa14cd910253f84cc
 * granary-artifact: e718e462f6cf36b2ee0b65c85f584347f49c68f2eb5d45cbc6daaf45aad5c961
 * granary-options: -O2 -ffp-contract=fast -fno-math-errno -fno-trapping-math -fwrapv -fno-builtin -Wno-psabi
 */
#include <stdlib.h>
#include <string.h>

#include "softmax_exported.h"

#define granary_entry softmax_exported_kernel
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
INLINE f32x16 g_expOfNonPositive_f32x16(f32x16 x) {
  x = g_pick_f32x16(x < -87.5f, (f32x16){0} - 87.5f, x);
  f32x16 t = x * 1.44269504088896341f + 12583038.0f, n = t - 12583038.0f;
  f32x16 r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  f32x16 p = r * 1.6580544e-2f + 8.379632e-2f;
  p = p * r + 3.3335276e-1f;
  p = p * r + 9.9998296e-1f;
  p = p * r + 1.9999994f;
  p = p * r + 2.0f;
  return p * g_asFloat_f32x16((i32x16)(g_asInt_f32x16(t) << 23));
}
INLINE f32x16 g_larger_f32x16(f32x16 x, f32x16 y) { return g_pick_f32x16(x > y, x, y); }
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
INLINE float g_reciprocal_f32(float x) { return 1 / x; }
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
INLINE f32x16 g_select_f32x16(i32x16 m, f32x16 x, f32x16 y) {
  i32x16 k = m;
  return (f32x16)((k & (i32x16)x) | (~k & (i32x16)y));
}
INLINE f32x16 g_set_f32x16(float x) { return (f32x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b4 = call->buffer[4];
  float b1[32] __attribute__((aligned(64)));
  float b2[2016] __attribute__((aligned(64)));
  float b3[32] __attribute__((aligned(64)));
  const int64_t first = block * 64L / 8;
  const int64_t end = (block + 1) * 64L / 8;
  int64_t point = first;
  for (; point + 2 <= end; point += 2) {
    const int64_t i0_0 = (point + 0);
    (void)i0_0;
    const int64_t i0_1 = (point + 1);
    (void)i0_1;
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
      int64_t i8 = 0;
      for (; i8 < 960; i8 += 64) {
        const f32x16 v11 = g_load_f32x16(b0 + i0_0 * 1000 + i8);
        a1 = g_larger_f32x16(a1, v11);
        const f32x16 v12 = g_load_f32x16(b0 + i0_1 * 1000 + i8);
        a6 = g_larger_f32x16(a6, v12);
        const f32x16 v13 = g_load_f32x16(b0 + i0_0 * 1000 + i8 + 16);
        a2 = g_larger_f32x16(a2, v13);
        const f32x16 v14 = g_load_f32x16(b0 + i0_1 * 1000 + i8 + 16);
        a7 = g_larger_f32x16(a7, v14);
        const f32x16 v15 = g_load_f32x16(b0 + i0_0 * 1000 + i8 + 32);
        a3 = g_larger_f32x16(a3, v15);
        const f32x16 v16 = g_load_f32x16(b0 + i0_1 * 1000 + i8 + 32);
        a8 = g_larger_f32x16(a8, v16);
        const f32x16 v17 = g_load_f32x16(b0 + i0_0 * 1000 + i8 + 48);
        a4 = g_larger_f32x16(a4, v17);
        const f32x16 v18 = g_load_f32x16(b0 + i0_1 * 1000 + i8 + 48);
        a9 = g_larger_f32x16(a9, v18);
        n5 |= (v11 != v11) | (v13 != v13) | (v15 != v15) | (v17 != v17);
        n10 |= (v12 != v12) | (v14 != v14) | (v16 != v16) | (v18 != v18);
      }
      for (; i8 < 992; i8 += 16) {
        const f32x16 v19 = g_load_f32x16(b0 + i0_0 * 1000 + i8);
        a1 = g_larger_f32x16(a1, v19);
        const f32x16 v20 = g_load_f32x16(b0 + i0_1 * 1000 + i8);
        a6 = g_larger_f32x16(a6, v20);
        n5 |= (v19 != v19);
        n10 |= (v20 != v20);
      }
      i8 = 984;
      const f32x16 v21 = g_load_f32x16(b0 + i0_0 * 1000 + i8);
      a1 = g_larger_f32x16(a1, v21);
      const f32x16 v22 = g_load_f32x16(b0 + i0_1 * 1000 + i8);
      a6 = g_larger_f32x16(a6, v22);
      n5 |= (v21 != v21);
      n10 |= (v22 != v22);
      const float a23 = g_reduce_logicalOr_i32x16(n5) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a1, a2), g_larger_f32x16(a3, a4)));
      b1[0] = a23;
      const float a24 = g_reduce_logicalOr_i32x16(n10) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a6, a7), g_larger_f32x16(a8, a9)));
      b1[0 + 1 * 16] = a24;
    }
    {
      f32x16 a25 = g_set_f32x16(0.0f);
      f32x16 a26 = g_set_f32x16(0.0f);
      f32x16 a27 = g_set_f32x16(0.0f);
      f32x16 a28 = g_set_f32x16(0.0f);
      f32x16 a29 = g_set_f32x16(0.0f);
      f32x16 a30 = g_set_f32x16(0.0f);
      f32x16 a31 = g_set_f32x16(0.0f);
      f32x16 a32 = g_set_f32x16(0.0f);
      int64_t i9 = 0;
      for (; i9 < 960; i9 += 64) {
        __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9) - g_set_f32x16(b1[0]))));
        const f32x16 v33 = g_load_f32x16(b2 + i9);
        a25 = (a25 + v33);
        __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9 + 1 * 1008, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9) - g_set_f32x16(b1[0 + 1 * 16]))));
        const f32x16 v34 = g_load_f32x16(b2 + i9 + 1 * 1008);
        a29 = (a29 + v34);
        __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 16, 1);
        g_store_f32x16(b2 + i9 + 16, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9 + 16) - g_set_f32x16(b1[0]))));
        const f32x16 v35 = g_load_f32x16(b2 + i9 + 16);
        a26 = (a26 + v35);
        __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 16, 1);
        g_store_f32x16(b2 + i9 + 1 * 1008 + 16, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9 + 16) - g_set_f32x16(b1[0 + 1 * 16]))));
        const f32x16 v36 = g_load_f32x16(b2 + i9 + 1 * 1008 + 16);
        a30 = (a30 + v36);
        __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 32, 1);
        g_store_f32x16(b2 + i9 + 32, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9 + 32) - g_set_f32x16(b1[0]))));
        const f32x16 v37 = g_load_f32x16(b2 + i9 + 32);
        a27 = (a27 + v37);
        __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 32, 1);
        g_store_f32x16(b2 + i9 + 1 * 1008 + 32, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9 + 32) - g_set_f32x16(b1[0 + 1 * 16]))));
        const f32x16 v38 = g_load_f32x16(b2 + i9 + 1 * 1008 + 32);
        a31 = (a31 + v38);
        __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 48, 1);
        g_store_f32x16(b2 + i9 + 48, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9 + 48) - g_set_f32x16(b1[0]))));
        const f32x16 v39 = g_load_f32x16(b2 + i9 + 48);
        a28 = (a28 + v39);
        __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 48, 1);
        g_store_f32x16(b2 + i9 + 1 * 1008 + 48, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9 + 48) - g_set_f32x16(b1[0 + 1 * 16]))));
        const f32x16 v40 = g_load_f32x16(b2 + i9 + 1 * 1008 + 48);
        a32 = (a32 + v40);
      }
      for (; i9 < 992; i9 += 16) {
        __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9) - g_set_f32x16(b1[0]))));
        const f32x16 v41 = g_load_f32x16(b2 + i9);
        a25 = (a25 + v41);
        __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9 + 1 * 1008, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9) - g_set_f32x16(b1[0 + 1 * 16]))));
        const f32x16 v42 = g_load_f32x16(b2 + i9 + 1 * 1008);
        a29 = (a29 + v42);
      }
      i9 = 984;
      __builtin_prefetch(b4 + i0_0 * 1000 + i9 + 1000 + 0, 1);
      g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_0 * 1000 + i9) - g_set_f32x16(b1[0]))));
      const f32x16 v43 = g_select_f32x16((i32x16){0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1}, g_load_f32x16(b2 + i9), g_set_f32x16(0.0f));
      a25 = (a25 + v43);
      __builtin_prefetch(b4 + i0_1 * 1000 + i9 + 1000 + 0, 1);
      g_store_f32x16(b2 + i9 + 1 * 1008, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0_1 * 1000 + i9) - g_set_f32x16(b1[0 + 1 * 16]))));
      const f32x16 v44 = g_select_f32x16((i32x16){0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1}, g_load_f32x16(b2 + i9 + 1 * 1008), g_set_f32x16(0.0f));
      a29 = (a29 + v44);
      const float a45 = g_reduce_add_f32x16(((a25 + a26) + (a27 + a28)));
      b3[0] = a45;
      const float a46 = g_reduce_add_f32x16(((a29 + a30) + (a31 + a32)));
      b3[0 + 1 * 16] = a46;
    }
    {
      int64_t i11 = 0;
      for (; i11 < 960; i11 += 64) {
        g_store_f32x16(b4 + i0_0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0_1 * 1000 + i11, (g_load_f32x16(b2 + i11 + 1 * 1008) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
        g_store_f32x16(b4 + i0_0 * 1000 + i11 + 16, (g_load_f32x16(b2 + i11 + 16) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0_1 * 1000 + i11 + 16, (g_load_f32x16(b2 + i11 + 1 * 1008 + 16) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
        g_store_f32x16(b4 + i0_0 * 1000 + i11 + 32, (g_load_f32x16(b2 + i11 + 32) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0_1 * 1000 + i11 + 32, (g_load_f32x16(b2 + i11 + 1 * 1008 + 32) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
        g_store_f32x16(b4 + i0_0 * 1000 + i11 + 48, (g_load_f32x16(b2 + i11 + 48) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0_1 * 1000 + i11 + 48, (g_load_f32x16(b2 + i11 + 1 * 1008 + 48) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
      }
      for (; i11 < 992; i11 += 16) {
        g_store_f32x16(b4 + i0_0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0_1 * 1000 + i11, (g_load_f32x16(b2 + i11 + 1 * 1008) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
      }
      i11 = 984;
      g_store_f32x16(b4 + i0_0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
      g_store_f32x16(b4 + i0_1 * 1000 + i11, (g_load_f32x16(b2 + i11 + 1 * 1008) * g_set_f32x16(g_reciprocal_f32(b3[0 + 1 * 16]))));
    }
  }
  for (; point < end; point++) {
    const int64_t i0 = point;
    (void)i0;
    {
      f32x16 a47 = g_set_f32x16((-__builtin_inff()));
      f32x16 a48 = g_set_f32x16((-__builtin_inff()));
      f32x16 a49 = g_set_f32x16((-__builtin_inff()));
      f32x16 a50 = g_set_f32x16((-__builtin_inff()));
      i32x16 n51 = {0};
      int64_t i8 = 0;
      for (; i8 < 960; i8 += 64) {
        const f32x16 v52 = g_load_f32x16(b0 + i0 * 1000 + i8);
        a47 = g_larger_f32x16(a47, v52);
        const f32x16 v53 = g_load_f32x16(b0 + i0 * 1000 + i8 + 16);
        a48 = g_larger_f32x16(a48, v53);
        const f32x16 v54 = g_load_f32x16(b0 + i0 * 1000 + i8 + 32);
        a49 = g_larger_f32x16(a49, v54);
        const f32x16 v55 = g_load_f32x16(b0 + i0 * 1000 + i8 + 48);
        a50 = g_larger_f32x16(a50, v55);
        n51 |= (v52 != v52) | (v53 != v53) | (v54 != v54) | (v55 != v55);
      }
      for (; i8 < 992; i8 += 16) {
        const f32x16 v56 = g_load_f32x16(b0 + i0 * 1000 + i8);
        a47 = g_larger_f32x16(a47, v56);
        n51 |= (v56 != v56);
      }
      i8 = 984;
      const f32x16 v57 = g_load_f32x16(b0 + i0 * 1000 + i8);
      a47 = g_larger_f32x16(a47, v57);
      n51 |= (v57 != v57);
      const float a58 = g_reduce_logicalOr_i32x16(n51) ? __builtin_nanf("") : g_reduce_larger_f32x16(g_larger_f32x16(g_larger_f32x16(a47, a48), g_larger_f32x16(a49, a50)));
      b1[0] = a58;
    }
    {
      f32x16 a59 = g_set_f32x16(0.0f);
      f32x16 a60 = g_set_f32x16(0.0f);
      f32x16 a61 = g_set_f32x16(0.0f);
      f32x16 a62 = g_set_f32x16(0.0f);
      int64_t i9 = 0;
      for (; i9 < 960; i9 += 64) {
        __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9) - g_set_f32x16(b1[0]))));
        const f32x16 v63 = g_load_f32x16(b2 + i9);
        a59 = (a59 + v63);
        __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 16, 1);
        g_store_f32x16(b2 + i9 + 16, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9 + 16) - g_set_f32x16(b1[0]))));
        const f32x16 v64 = g_load_f32x16(b2 + i9 + 16);
        a60 = (a60 + v64);
        __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 32, 1);
        g_store_f32x16(b2 + i9 + 32, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9 + 32) - g_set_f32x16(b1[0]))));
        const f32x16 v65 = g_load_f32x16(b2 + i9 + 32);
        a61 = (a61 + v65);
        __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 48, 1);
        g_store_f32x16(b2 + i9 + 48, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9 + 48) - g_set_f32x16(b1[0]))));
        const f32x16 v66 = g_load_f32x16(b2 + i9 + 48);
        a62 = (a62 + v66);
      }
      for (; i9 < 992; i9 += 16) {
        __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 0, 1);
        g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9) - g_set_f32x16(b1[0]))));
        const f32x16 v67 = g_load_f32x16(b2 + i9);
        a59 = (a59 + v67);
      }
      i9 = 984;
      __builtin_prefetch(b4 + i0 * 1000 + i9 + 1000 + 0, 1);
      g_store_f32x16(b2 + i9, g_expOfNonPositive_f32x16((g_load_f32x16(b0 + i0 * 1000 + i9) - g_set_f32x16(b1[0]))));
      const f32x16 v68 = g_select_f32x16((i32x16){0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1}, g_load_f32x16(b2 + i9), g_set_f32x16(0.0f));
      a59 = (a59 + v68);
      const float a69 = g_reduce_add_f32x16(((a59 + a60) + (a61 + a62)));
      b3[0] = a69;
    }
    {
      int64_t i11 = 0;
      for (; i11 < 960; i11 += 64) {
        g_store_f32x16(b4 + i0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0 * 1000 + i11 + 16, (g_load_f32x16(b2 + i11 + 16) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0 * 1000 + i11 + 32, (g_load_f32x16(b2 + i11 + 32) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
        g_store_f32x16(b4 + i0 * 1000 + i11 + 48, (g_load_f32x16(b2 + i11 + 48) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
      }
      for (; i11 < 992; i11 += 16) {
        g_store_f32x16(b4 + i0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
      }
      i11 = 984;
      g_store_f32x16(b4 + i0 * 1000 + i11, (g_load_f32x16(b2 + i11) * g_set_f32x16(g_reciprocal_f32(b3[0]))));
    }
  }
}

int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,
                      const granary_context *context) {
  granary_call call;
  unsigned char *memory = workspace;
  (void)memory; (void)inputs; (void)outputs; (void)context;
  call.buffer[0] = (void *)inputs[0];
  call.buffer[1] = 0;
  call.buffer[2] = 0;
  call.buffer[3] = 0;
  call.buffer[4] = outputs[0];
  call.shared = memory + 0;
  call.scratch = memory + 0;
  context->parallel_for(context, 8, kernel0, &call);
  return 0;
}


static void softmax_exported_in_turn(const granary_context *context, int64_t count, granary_body body, void *argument) {
  (void)context;
  for (int64_t index = 0; index < count; index++) body(argument, index, 0);
}

static void *softmax_exported_allocated(size_t bytes) {
  return aligned_alloc(64, (bytes + 63) / 64 * 64);
}

int32_t softmax_exported_portable(void *argument, const void *const *inputs, void *const *outputs) {
  enum { INPUTS = 1, OUTPUTS = 1 };
  static const size_t input_bytes[] = {256000, 0};
  static const size_t output_bytes[] = {256000, 0};
  const void *given[INPUTS + 1];
  void *taken[OUTPUTS + 1], *copies[INPUTS + OUTPUTS + 1];
  int32_t status = 107, count = 0;
  (void)argument;
  copies[count++] = softmax_exported_allocated(1);
  for (int i = 0; i < INPUTS; i++) {
    given[i] = inputs[i];
    if ((uintptr_t)inputs[i] % 64 == 0) continue;
    void *copy = copies[count++] = softmax_exported_allocated(input_bytes[i]);
    if (copy) memcpy(copy, inputs[i], input_bytes[i]);
    given[i] = copy;
  }
  for (int i = 0; i < OUTPUTS; i++) {
    taken[i] = outputs[i];
    if ((uintptr_t)outputs[i] % 64 != 0) taken[i] = copies[count++] = softmax_exported_allocated(output_bytes[i]);
  }
  int whole = 1;
  for (int i = 0; i < count; i++) whole = whole && copies[i];
  if (whole) {
    granary_context context = {sizeof context, 1, softmax_exported_in_turn, 0};
    status = softmax_exported_kernel(given, taken, copies[0], &context);
    for (int i = 0; status == 0 && i < OUTPUTS; i++)
      if (taken[i] != outputs[i]) memcpy(outputs[i], taken[i], output_bytes[i]);
  }
  while (count > 0) free(copies[--count]);
  return status;
}
#ifdef GRANARY_PORTABLE_ONLY
int32_t softmax_exported(const float *x, float *out0) {
  const void *inputs[] = {x};
  void *outputs[] = {out0};
  return softmax_exported_portable(0, inputs, outputs);
}
#endif
