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
      float a1 = 0.0f;
      for (int64_t i3 = 0; i3 < 100; i3++) {
        a1 = (a1 + b0[i1 * 100 + i3]);
        b1[i1 * 100 + i3] = a1;
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
