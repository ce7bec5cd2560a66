/* Softmax over rows: a kernel that CMake made a function of, with a plain loop as its fallback. */
#include <granary.h>
#include <math.h>
#include <stdio.h>

#include "softmax_rows.h"

enum { ROWS = 64, COLUMNS = 1000 };

int32_t plain_softmax(void *argument, const void *const *inputs, void *const *outputs);

int32_t plain_softmax(void *argument, const void *const *inputs, void *const *outputs) {
  (void)argument;
  const float *x = inputs[0];
  float *y = outputs[0];
  for (int row = 0; row < ROWS; row++, x += COLUMNS, y += COLUMNS) {
    float largest = x[0], sum = 0;
    for (int i = 1; i < COLUMNS; i++) largest = fmaxf(largest, x[i]);
    for (int i = 0; i < COLUMNS; i++) sum += y[i] = expf(x[i] - largest);
    for (int i = 0; i < COLUMNS; i++) y[i] /= sum;
  }
  return GRANARY_OK;
}

int main(void) {
  static _Alignas(64) float x[ROWS * COLUMNS], y[ROWS * COLUMNS];
  for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)(i % 37) / 4;
  if (softmax_rows(x, y) != GRANARY_OK) return 1;
  double sum = 0;
  for (int i = 0; i < COLUMNS; i++) sum += y[i];
  printf("the first row sums to %.4f, by %s\n", sum, granary_count().fallbacks ? "the plain loop" : "a kernel");
  return 0;
}
