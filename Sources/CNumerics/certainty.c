#include <float.h>
#include <math.h>

#include "targets.h"

INLINE int64_t uncertain(
    const double *values, const float *errors, int64_t count, double share, double scale, double limit) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) {
    const double size = fabs(values[i]);
    const int is_certain = (double)errors[i] <= share * (size + scale);
    found += (size < limit) & !is_certain;
  }
  return found;
}

FOR_EACH_TARGET(
    int64_t, granary_uncertain,
    (const double *values, const float *errors, int64_t count, double share, double scale, double limit),
    (values, errors, count, share, scale, limit),
    { return uncertain(values, errors, count, share, scale, limit); })
