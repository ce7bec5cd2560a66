/* Softmax over rows: Granary's kernel when there is one in time, a plain loop otherwise.
 *
 *   cc softmax.c -lgranary -lm && ./a.out */
#include <granary.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 64, COLUMNS = 1000 };

static int32_t plain_softmax(void *argument, const void *const *inputs, void *const *outputs) {
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
  const void *inputs[] = {x};
  void *outputs[] = {y};
  int32_t status = granary_run("softmax(x: f32[64,1000], dim: -1)", NULL, inputs, outputs, plain_softmax, NULL);
  if (status != GRANARY_OK) return EXIT_FAILURE;
  if (granary_count().fallbacks > 0) fprintf(stderr, "no kernel: %s; the plain loop ran\n", granary_message());
  double sum = 0;
  for (int i = 0; i < COLUMNS; i++) sum += y[i];
  printf("the first row sums to %.4f\n", sum);
  return EXIT_SUCCESS;
}
