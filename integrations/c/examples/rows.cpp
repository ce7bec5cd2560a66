// One kernel called by several threads: sums of rows, each thread with buffers of its own.
//
//   c++ rows.cpp -lgranary && ./a.out
#include <granary.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace {

constexpr int rows = 128, columns = 256;

struct Buffers {
  alignas(64) float x[rows * columns];
  alignas(64) float sums[rows];
};

void sum_rows(granary_kernel *kernel, Buffers &buffers, int start) {
  for (int i = 0; i < rows * columns; i++) buffers.x[i] = static_cast<float>(i / columns + start);
  const void *inputs[] = {buffers.x};
  void *outputs[] = {buffers.sums};
  if (kernel && granary_call(kernel, inputs, outputs) == GRANARY_OK) return;
  for (int row = 0; row < rows; row++) {
    buffers.sums[row] = 0;
    for (int i = 0; i < columns; i++) buffers.sums[row] += buffers.x[row * columns + i];
  }
}

}  // namespace

int main() {
  granary_kernel *kernel = nullptr;
  if (granary_get("sum(x: f32[128,256], dim: [1])", nullptr, &kernel) != GRANARY_OK)
    std::fprintf(stderr, "no kernel: %s; plain loops run\n", granary_message());
  std::vector<std::unique_ptr<Buffers>> buffers;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    buffers.push_back(std::make_unique<Buffers>());
    threads.emplace_back(sum_rows, kernel, std::ref(*buffers.back()), i);
  }
  for (auto &thread : threads) thread.join();
  for (int i = 0; i < 4; i++)
    std::printf("thread %d: the last row sums to %.0f\n", i, static_cast<double>(buffers[i]->sums[rows - 1]));
}
