#ifndef GRANARY_TREES_H
#define GRANARY_TREES_H

#include <stddef.h>
#include <stdint.h>

// Gradient-boosted regression trees through XGBoost, which is opened when it is first needed: a program that learns
// nothing does not load it. Tables are row-major; NaN stands for a value that is missing.

typedef struct granary_trees granary_trees;

// How trees are grown.
typedef struct {
  uint32_t rounds;
  uint32_t depth;
  double rate;
} granary_trees_shape;

// Fits trees to the targets by least squares, on the calling thread alone. NULL when the library is missing or refuses.
granary_trees *granary_trees_fit(const float *rows, const float *targets, const float *weights, size_t count,
                                 size_t columns, granary_trees_shape shape);

// Predicts a target for each row; the number of columns is that of fitting. Not for two threads at once.
// 0 when `predictions` were written.
int granary_trees_predict(granary_trees *trees, const float *rows, size_t count, size_t columns, float *predictions);

void granary_trees_free(granary_trees *trees);

#endif
