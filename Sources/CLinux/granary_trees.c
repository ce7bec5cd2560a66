#include "granary_trees.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// The functions of XGBoost's C interface that every version since 1.0 has (c_api.h); handles are opaque pointers.
static struct {
  int (*matrix_create)(const float *, uint64_t, uint64_t, float, void **);
  int (*matrix_set)(void *, const char *, const float *, uint64_t);
  int (*matrix_free)(void *);
  int (*booster_create)(void *const *, uint64_t, void **);
  int (*booster_set)(void *, const char *, const char *);
  int (*booster_update)(void *, int, void *);
  int (*booster_predict)(void *, void *, int, unsigned, int, uint64_t *, const float **);
  int (*booster_free)(void *);
  int ready;
} trees;

static void open_library(void) {
  void *library = dlopen("libxgboost.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) library = dlopen("libxgboost.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  const struct {
    void **slot;
    const char *name;
  } symbols[] = {
      {(void **)&trees.matrix_create, "XGDMatrixCreateFromMat"}, {(void **)&trees.matrix_set, "XGDMatrixSetFloatInfo"},
      {(void **)&trees.matrix_free, "XGDMatrixFree"},            {(void **)&trees.booster_create, "XGBoosterCreate"},
      {(void **)&trees.booster_set, "XGBoosterSetParam"},        {(void **)&trees.booster_update, "XGBoosterUpdateOneIter"},
      {(void **)&trees.booster_predict, "XGBoosterPredict"},     {(void **)&trees.booster_free, "XGBoosterFree"},
  };
  for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
    if (!(*symbols[i].slot = dlsym(library, symbols[i].name))) return;
  trees.ready = 1;
}

static int is_ready(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, open_library);
  return trees.ready;
}

static int set_shape(void *booster, granary_trees_shape shape) {
  char depth[16], rate[32];
  snprintf(depth, sizeof depth, "%u", shape.depth);
  snprintf(rate, sizeof rate, "%g", shape.rate);
  const char *settings[][2] = {
      {"verbosity", "0"},  {"nthread", "1"}, {"objective", "reg:squarederror"}, {"tree_method", "exact"},
      {"base_score", "0"}, {"seed", "0"},    {"max_depth", depth},              {"eta", rate},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    if (trees.booster_set(booster, settings[i][0], settings[i][1])) return -1;
  return 0;
}

granary_trees *granary_trees_fit(const float *rows, const float *targets, const float *weights, size_t count,
                                 size_t columns, granary_trees_shape shape) {
  void *matrix = NULL, *booster = NULL;
  if (!is_ready() || trees.matrix_create(rows, count, columns, NAN, &matrix)) return NULL;
  int failed = trees.matrix_set(matrix, "label", targets, count) || trees.matrix_set(matrix, "weight", weights, count) ||
               trees.booster_create(&matrix, 1, &booster) || set_shape(booster, shape);
  for (uint32_t round = 0; !failed && round < shape.rounds; round++)
    failed = trees.booster_update(booster, (int)round, matrix);
  trees.matrix_free(matrix);
  if (failed && booster) trees.booster_free(booster);
  return failed ? NULL : booster;
}

int granary_trees_predict(granary_trees *booster, const float *rows, size_t count, size_t columns, float *predictions) {
  void *matrix = NULL;
  if (!is_ready() || trees.matrix_create(rows, count, columns, NAN, &matrix)) return -1;
  uint64_t length = 0;
  const float *values = NULL;
  int failed = trees.booster_predict(booster, matrix, 0, 0, 0, &length, &values) || length != count;
  if (!failed) memcpy(predictions, values, count * sizeof *predictions);
  trees.matrix_free(matrix);
  return failed ? -1 : 0;
}

void granary_trees_free(granary_trees *booster) {
  if (booster) trees.booster_free(booster);
}
