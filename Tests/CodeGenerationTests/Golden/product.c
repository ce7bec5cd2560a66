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

typedef float kernel0_element;
typedef kernel0_element kernel0_vector __attribute__((vector_size(64)));
typedef kernel0_vector kernel0_loose
    __attribute__((aligned(4), may_alias));
#define T kernel0_element
#define V kernel0_vector
#define VU kernel0_loose

static __attribute__((noinline)) void kernel0_tile_6_4(int64_t depth,
    const T *restrict a, const T *restrict b, const T *from,
    T *to, int64_t stride) {
  V c0_0, c0_1, c0_2, c0_3, c1_0, c1_1, c1_2, c1_3, c2_0, c2_1, c2_2, c2_3, c3_0, c3_1, c3_2, c3_3, c4_0, c4_1, c4_2, c4_3, c5_0, c5_1, c5_2, c5_3;
  if (from) {
    c0_0 = *(const VU *)(from + 0);
    c0_1 = *(const VU *)(from + 16);
    c0_2 = *(const VU *)(from + 32);
    c0_3 = *(const VU *)(from + 48);
    c1_0 = *(const VU *)(from + 64);
    c1_1 = *(const VU *)(from + 80);
    c1_2 = *(const VU *)(from + 96);
    c1_3 = *(const VU *)(from + 112);
    c2_0 = *(const VU *)(from + 128);
    c2_1 = *(const VU *)(from + 144);
    c2_2 = *(const VU *)(from + 160);
    c2_3 = *(const VU *)(from + 176);
    c3_0 = *(const VU *)(from + 192);
    c3_1 = *(const VU *)(from + 208);
    c3_2 = *(const VU *)(from + 224);
    c3_3 = *(const VU *)(from + 240);
    c4_0 = *(const VU *)(from + 256);
    c4_1 = *(const VU *)(from + 272);
    c4_2 = *(const VU *)(from + 288);
    c4_3 = *(const VU *)(from + 304);
    c5_0 = *(const VU *)(from + 320);
    c5_1 = *(const VU *)(from + 336);
    c5_2 = *(const VU *)(from + 352);
    c5_3 = *(const VU *)(from + 368);
  } else {
    c0_0 = (V){0};
    c0_1 = (V){0};
    c0_2 = (V){0};
    c0_3 = (V){0};
    c1_0 = (V){0};
    c1_1 = (V){0};
    c1_2 = (V){0};
    c1_3 = (V){0};
    c2_0 = (V){0};
    c2_1 = (V){0};
    c2_2 = (V){0};
    c2_3 = (V){0};
    c3_0 = (V){0};
    c3_1 = (V){0};
    c3_2 = (V){0};
    c3_3 = (V){0};
    c4_0 = (V){0};
    c4_1 = (V){0};
    c4_2 = (V){0};
    c4_3 = (V){0};
    c5_0 = (V){0};
    c5_1 = (V){0};
    c5_2 = (V){0};
    c5_3 = (V){0};
  }
  for (; depth > 0; depth -= 1) {
    {
      const V b0 = *(const VU *)(b + 0);
      const V b1 = *(const VU *)(b + 16);
      const V b2 = *(const VU *)(b + 32);
      const V b3 = *(const VU *)(b + 48);
      { const T x = a[0]; c0_0 += x * b0; c0_1 += x * b1; c0_2 += x * b2; c0_3 += x * b3; }
      { const T x = a[48]; c1_0 += x * b0; c1_1 += x * b1; c1_2 += x * b2; c1_3 += x * b3; }
      { const T x = a[96]; c2_0 += x * b0; c2_1 += x * b1; c2_2 += x * b2; c2_3 += x * b3; }
      { const T x = a[144]; c3_0 += x * b0; c3_1 += x * b1; c3_2 += x * b2; c3_3 += x * b3; }
      { const T x = a[192]; c4_0 += x * b0; c4_1 += x * b1; c4_2 += x * b2; c4_3 += x * b3; }
      { const T x = a[240]; c5_0 += x * b0; c5_1 += x * b1; c5_2 += x * b2; c5_3 += x * b3; }
    }
    a += 1;
    b += 64;
  }
  *(VU *)(to + 0 * stride + 0) = c0_0;
  *(VU *)(to + 0 * stride + 16) = c0_1;
  *(VU *)(to + 0 * stride + 32) = c0_2;
  *(VU *)(to + 0 * stride + 48) = c0_3;
  *(VU *)(to + 1 * stride + 0) = c1_0;
  *(VU *)(to + 1 * stride + 16) = c1_1;
  *(VU *)(to + 1 * stride + 32) = c1_2;
  *(VU *)(to + 1 * stride + 48) = c1_3;
  *(VU *)(to + 2 * stride + 0) = c2_0;
  *(VU *)(to + 2 * stride + 16) = c2_1;
  *(VU *)(to + 2 * stride + 32) = c2_2;
  *(VU *)(to + 2 * stride + 48) = c2_3;
  *(VU *)(to + 3 * stride + 0) = c3_0;
  *(VU *)(to + 3 * stride + 16) = c3_1;
  *(VU *)(to + 3 * stride + 32) = c3_2;
  *(VU *)(to + 3 * stride + 48) = c3_3;
  *(VU *)(to + 4 * stride + 0) = c4_0;
  *(VU *)(to + 4 * stride + 16) = c4_1;
  *(VU *)(to + 4 * stride + 32) = c4_2;
  *(VU *)(to + 4 * stride + 48) = c4_3;
  *(VU *)(to + 5 * stride + 0) = c5_0;
  *(VU *)(to + 5 * stride + 16) = c5_1;
  *(VU *)(to + 5 * stride + 32) = c5_2;
  *(VU *)(to + 5 * stride + 48) = c5_3;
}

static __attribute__((noinline)) void kernel0_tile_2_4(int64_t depth,
    const T *restrict a, const T *restrict b, const T *from,
    T *to, int64_t stride) {
  V c0_0, c0_1, c0_2, c0_3, c1_0, c1_1, c1_2, c1_3;
  if (from) {
    c0_0 = *(const VU *)(from + 0);
    c0_1 = *(const VU *)(from + 16);
    c0_2 = *(const VU *)(from + 32);
    c0_3 = *(const VU *)(from + 48);
    c1_0 = *(const VU *)(from + 64);
    c1_1 = *(const VU *)(from + 80);
    c1_2 = *(const VU *)(from + 96);
    c1_3 = *(const VU *)(from + 112);
  } else {
    c0_0 = (V){0};
    c0_1 = (V){0};
    c0_2 = (V){0};
    c0_3 = (V){0};
    c1_0 = (V){0};
    c1_1 = (V){0};
    c1_2 = (V){0};
    c1_3 = (V){0};
  }
  for (; depth > 0; depth -= 1) {
    {
      const V b0 = *(const VU *)(b + 0);
      const V b1 = *(const VU *)(b + 16);
      const V b2 = *(const VU *)(b + 32);
      const V b3 = *(const VU *)(b + 48);
      { const T x = a[0]; c0_0 += x * b0; c0_1 += x * b1; c0_2 += x * b2; c0_3 += x * b3; }
      { const T x = a[48]; c1_0 += x * b0; c1_1 += x * b1; c1_2 += x * b2; c1_3 += x * b3; }
    }
    a += 1;
    b += 64;
  }
  *(VU *)(to + 0 * stride + 0) = c0_0;
  *(VU *)(to + 0 * stride + 16) = c0_1;
  *(VU *)(to + 0 * stride + 32) = c0_2;
  *(VU *)(to + 0 * stride + 48) = c0_3;
  *(VU *)(to + 1 * stride + 0) = c1_0;
  *(VU *)(to + 1 * stride + 16) = c1_1;
  *(VU *)(to + 1 * stride + 32) = c1_2;
  *(VU *)(to + 1 * stride + 48) = c1_3;
}

static __attribute__((noinline)) void kernel0_store(const granary_call *call, int64_t row, int64_t rows, int64_t column, int64_t columns, const T *restrict tile, int64_t stride) {
  const float *restrict b2 = call->buffer[2];
  float *restrict to_b3 = call->buffer[3];
  for (int64_t i = 0; i < rows; i++) {
    const int64_t i1 = (row + i);
    for (int64_t j0 = 0; j0 < columns;) {
      const int64_t start_i2 = (column + j0) % 64;
      const int64_t run = columns - j0 < 64 - start_i2 ? columns - j0 : 64 - start_i2;
      const T *restrict from = tile + i * stride + j0;
      const int64_t visible = run;
      if (visible == 64) {
        for (int64_t j = 0; j < 64; j++) {
          const int64_t i2 = start_i2 + j;
          const float b4[1] = {((float)from[j])};
          const float b3[1] = {(b4[0] + b2[i2])};
          to_b3[i1 * 64 + i2] = b3[0];
        }
      } else {
        for (int64_t j = 0; j < visible; j++) {
          const int64_t i2 = start_i2 + j;
          const float b4[1] = {((float)from[j])};
          const float b3[1] = {(b4[0] + b2[i2])};
          to_b3[i1 * 64 + i2] = b3[0];
        }
      }
      j0 += run;
    }
  }
}

static void kernel0_multiply(void *argument, int64_t block, int32_t thread) {
  const granary_call *call = argument;
  const int64_t matrix = block / 1;

  const int64_t row0 = block / 1 % 1 * 36;
  const int64_t row1 = row0 + 36 < 32 ? row0 + 36 : 32;
  const int64_t column0 = block % 1 * 64;
  const int64_t column1 = column0 + 64 < 64 ? column0 + 64 : 64;
  T *scratch = (T *)(call->scratch + (int64_t)thread * 0);
  T *sums = scratch + 0;
  for (int64_t part = 0; part < 1; part++) {
    const int64_t k0 = part * 48;
    const int64_t depth = 48 - k0 < 48 ? 48 - k0 : 48;

    for (int64_t column = column0; column < column1; column += 64)
      for (int64_t row = row0; row < row1; row += 6) {
        const int64_t rows = row1 - row < 6 ? row1 - row : 6;
        const int64_t columns = column1 - column < 64 ? column1 - column : 64;
        const int64_t padded = 64;
        const T *a = (const T *)call->buffer[0] + row * 48 + k0 * 1 + 0;
        const T *b = (const T *)call->buffer[1] + column * 1 + k0 * 64 + 0;
        T *slot = sums + ((row - row0) / 6 * 1
            + (column - column0) / 64) * 384;
        const T *from = part ? slot : 0;
        int64_t stride = padded;
        if (part + 1 < 1) {
          T *to = slot;
          if (rows == 2) kernel0_tile_2_4(depth, a, b, from, to, stride); else
          kernel0_tile_6_4(depth, a, b, from, to, stride);
          continue;
        }
        T tile[384] __attribute__((aligned(64)));
        T *to = tile;
        if (rows == 2) kernel0_tile_2_4(depth, a, b, from, to, stride); else
          kernel0_tile_6_4(depth, a, b, from, to, stride);
        kernel0_store(call, row, rows, column, columns, tile, padded);
      }
  }
}

#undef T

#undef V

#undef VU


int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,
                      const granary_context *context) {
  granary_call call;
  unsigned char *memory = workspace;
  (void)memory; (void)inputs; (void)outputs; (void)context;
  call.buffer[0] = (void *)inputs[0];
  call.buffer[1] = (void *)inputs[1];
  call.buffer[2] = (void *)inputs[2];
  call.buffer[3] = outputs[0];
  call.buffer[4] = 0;
  call.shared = memory + 0;
  call.scratch = memory + 0;
  kernel0_multiply(&call, 0, 0);
  return 0;
}
