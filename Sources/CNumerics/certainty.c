#include <math.h>
#include <stddef.h>

#include "targets.h"

INLINE int64_t count_in_range(
    const double *values, const float *errors, int64_t count, double limit, double share, double scale,
    int64_t *uncertain) {
  int64_t in_range = 0, unsure = 0;
  if (!errors) {
    for (int64_t i = 0; i < count; i++) in_range += fabs(values[i]) <= limit;
  } else {
    for (int64_t i = 0; i < count; i++) {
      const double size = fabs(values[i]);
      const int is_certain = (double)errors[i] <= share * (size + scale);
      in_range += size <= limit;
      unsure += (size <= limit) & !is_certain;
    }
  }
  *uncertain = unsure;
  return in_range;
}

FOR_EACH_TARGET(
    int64_t, granary_count_in_range,
    (const double *values, const float *errors, int64_t count, double limit, double share, double scale,
     int64_t *uncertain),
    (values, errors, count, limit, share, scale, uncertain),
    { return count_in_range(values, errors, count, limit, share, scale, uncertain); })
