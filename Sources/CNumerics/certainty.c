#include <math.h>
#include <stddef.h>

#include "targets.h"

INLINE int64_t count_in_range(
    const double *values, const float *errors, int64_t count, double limit, double share, double scale,
    int64_t *uncertain, int64_t *near_limit) {
  int64_t in_range = 0, unsure = 0, near = 0;
  const double end = limit * 64;
  for (int64_t i = 0; i < count; i++) {
    const double size = fabs(values[i]);
    in_range += size <= limit;
    near += (size > limit) & (size <= end);
  }
  if (errors) {
    for (int64_t i = 0; i < count; i++) {
      const double size = fabs(values[i]);
      const int is_certain = (double)errors[i] <= share * (size + scale);
      unsure += (size <= limit) & !is_certain;
    }
  }
  *uncertain = unsure;
  *near_limit = near;
  return in_range;
}

FOR_EACH_TARGET(
    int64_t, granary_count_in_range,
    (const double *values, const float *errors, int64_t count, double limit, double share, double scale,
     int64_t *uncertain, int64_t *near_limit),
    (values, errors, count, limit, share, scale, uncertain, near_limit),
    { return count_in_range(values, errors, count, limit, share, scale, uncertain, near_limit); })
