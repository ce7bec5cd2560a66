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
INLINE f32x16 g_last_f32x16(f32x16 x) {
  return G_SHUFFLE(i32x16, x, x, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15);
}
INLINE f32x16 g_load_f32x16(const float *p) { return *(const f32x16_u *)p; }
INLINE f32x16 g_prefix_add_f32x16(f32x16 x) {
  f32x16 z = {0};
#if defined(__AVX512F__)
  __asm__("" : "+v"(z));
#endif
  x += G_SHUFFLE(i32x16, x, z, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
  x += G_SHUFFLE(i32x16, x, z, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
  x += G_SHUFFLE(i32x16, x, z, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  x += G_SHUFFLE(i32x16, x, z, 16, 16, 16, 16, 16, 16, 16, 16, 0, 1, 2, 3, 4, 5, 6, 7);
  return x;
}
INLINE void g_store_f32x16(float *p, f32x16 v) { *(f32x16_u *)p = v; }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b1 = call->buffer[1];
  const int64_t first = block * 16L / 1;
  const int64_t end = (block + 1) * 16L / 1;
  int64_t point = first;
  for (; point < end; point++) {
    const int64_t i1 = point;
    (void)i1;
    {
      f32x16 a1 = {0};
      int64_t i3 = 0;
      for (; i3 < 96; i3 += 16) {
        const f32x16 v2 = g_prefix_add_f32x16(g_load_f32x16(b0 + i1 * 100 + i3)) + a1;
        g_store_f32x16(b1 + i1 * 100 + i3, v2);
        a1 = g_last_f32x16(v2);
      }
      float a3 = a1[0];
      for (; i3 < 100; i3++) {
        a3 = (a3 + b0[i1 * 100 + i3]);
        b1[i1 * 100 + i3] = a3;
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
