/* Softmax over rows, from the source that `granary export-source` wrote into kernels/. */
#include <stdio.h>

#include "softmax_exported.h"

enum { ROWS = 64, COLUMNS = 1000 };

int main(void) {
  /* Any address will do; what is not aligned is copied. */
  static float x[ROWS * COLUMNS + 1], y[ROWS * COLUMNS + 1];
  for (int i = 0; i < ROWS * COLUMNS; i++) x[i + 1] = (float)(i % 37) / 4;
  if (softmax_exported(x + 1, y + 1) != 0) return 1;
  double sum = 0;
  for (int i = 0; i < COLUMNS; i++) sum += y[i + 1];
  printf("the first row sums to %.4f\n", sum);
  return 0;
}
