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
  void *buffer[2];
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
INLINE f32x16 g_load_evens_f32x16(const float *p) {
  const f32x16 x = *(const f32x16_u *)p, y = *(const f32x16_u *)(p + 16);
  return G_SHUFFLE(i32x16, x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
INLINE f32x16 g_load_f32x16(const float *p) { return *(const f32x16_u *)p; }
INLINE f32x16 g_load_odds_f32x16(const float *p) {
  const f32x16 x = *(const f32x16_u *)p, y = *(const f32x16_u *)(p + 16);
  return G_SHUFFLE(i32x16, x, y, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}
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
INLINE float g_larger_f32(float x, float y) { return g_pick_f32(x > y, x, y); }
INLINE float g_maximum_f32(float x, float y) { return g_pick_f32(x != x, x, g_larger_f32(x, y)); }
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
INLINE f32x16 g_larger_f32x16(f32x16 x, f32x16 y) { return g_pick_f32x16(x > y, x, y); }
INLINE f32x16 g_maximum_of_three_f32x16(f32x16 x, f32x16 y, f32x16 z) {
  f32x16 r = g_larger_f32x16(g_larger_f32x16(x, y), z);
  return g_pick_f32x16((x != x) | (y != y), (f32x16){0} + __builtin_nanf(""), r);
}
INLINE f32x16 g_set_f32x16(float x) { return (f32x16){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b1 = call->buffer[1];
  float b2[512] __attribute__((aligned(64)));
  const int64_t first = block * 8L / 1;
  const int64_t end = (block + 1) * 8L / 1;
  int64_t point = first;
  for (; point < end; point++) {
    const int64_t i6 = point % 2;
    (void)i6;
    const int64_t i1 = point / 2;
    (void)i1;
    for (int64_t i7 = 0; i7 < 8; i7++) {
      for (int64_t i8 = 0; i8 < 1; i8++) {
        b2[i7 * 64 + i8 + 15] = g_maximum_f32(g_maximum_f32((-__builtin_inff()), (-__builtin_inff())), (-__builtin_inff()));
      }
      {
        int64_t i8 = 1;
        for (; i8 + 16 <= 33; i8 += 16) {
          g_store_f32x16(b2 + i7 * 64 + i8 + 15, g_maximum_of_three_f32x16((((i6 * 16 + i7 * 2 + -1) >= 0 && (i6 * 16 + i7 * 2 + -1) < 32) ? g_load_f32x16(b0 + i1 * 1024 + i6 * 512 + i7 * 64 + i8 + -33) : g_set_f32x16((-__builtin_inff()))), g_load_f32x16(b0 + i1 * 1024 + i6 * 512 + i7 * 64 + i8 + -1), g_load_f32x16(b0 + i1 * 1024 + i6 * 512 + i7 * 64 + i8 + 31)));
        }
      }
    }
    for (int64_t i9 = 0; i9 < 8; i9++) {
      {
        int64_t i3 = 0;
        for (; i3 + 16 <= 16; i3 += 16) {
          g_store_f32x16(b1 + i1 * 256 + i3 + i6 * 128 + i9 * 16, g_maximum_of_three_f32x16(g_load_odds_f32x16(b2 + i3 * 2 + i9 * 64 + 15 - 1), g_load_evens_f32x16(b2 + i3 * 2 + i9 * 64 + 16), g_load_odds_f32x16(b2 + i3 * 2 + i9 * 64 + 17 - 1)));
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
  call.buffer[1] = outputs[0];
  call.shared = memory + 0;
  call.scratch = memory + 0;
  kernel0(&call, 0, 0);
  return 0;
}
