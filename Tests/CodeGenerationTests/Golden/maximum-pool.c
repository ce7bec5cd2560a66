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
} granary_call;

#define INLINE static inline __attribute__((always_inline, unused))
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
INLINE float g_maximum_f32(float x, float y) { return g_pick_f32((x > y) | (x != x), x, y); }

static void kernel0(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  (void)call; (void)thread;
  const float *restrict b0 = call->buffer[0];
  float *restrict b1 = call->buffer[1];
  const int64_t first = block * 1024L / 1;
  const int64_t end = (block + 1) * 1024L / 1;
  int64_t point = first;
  for (; point < end; point++) {
    const int64_t i3 = point % 16;
    (void)i3;
    const int64_t i2 = point / 16 % 16;
    (void)i2;
    const int64_t i1 = point / 256;
    (void)i1;
    {
      float a1 = (-__builtin_inff());
      for (int64_t i6 = 0; i6 < 3; i6++) {
        for (int64_t i7 = 0; i7 < 3; i7++) {
          a1 = g_maximum_f32(a1, ((((i2 * 2 + i6 + -1) >= 0 && (i2 * 2 + i6 + -1) < 32) && ((i3 * 2 + i7 + -1) >= 0 && (i3 * 2 + i7 + -1) < 32)) ? b0[i1 * 1024 + i2 * 64 + i6 * 32 + i3 * 2 + i7 + -33] : (-__builtin_inff())));
        }
      }
      b1[i1 * 256 + i2 * 16 + i3] = a1;
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
