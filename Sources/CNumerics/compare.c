#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "targets.h"

/* Parts that stay in the nearest cache. */
enum { PART = 512 };

static inline uint64_t bits_of(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

INLINE double float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return (double)x;
}

/* Denormal numbers come out right by the multiplication; infinities and NaN have all bits of the exponent set. */
INLINE double half(uint16_t x) {
  const uint32_t magnitude = x & 0x7FFFu;
  float f;
  const uint32_t shifted = magnitude << 13;
  memcpy(&f, &shifted, sizeof f);
  f *= 0x1p112f;
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  bits |= magnitude >= 0x7C00u ? 0x7F800000u : 0u;
  return float_of_bits(bits | (uint32_t)(x & 0x8000u) << 16);
}

#define EACH(TYPE, RESULT)                               \
  for (int64_t i = 0; i < count; i++) {                  \
    TYPE x;                                              \
    memcpy(&x, (const TYPE *)from + i, sizeof x);        \
    to[i] = RESULT;                                      \
  }                                                      \
  return

INLINE void widen_reals(
    granary_element type, const void *from, double *restrict to, int64_t count) {
  switch (type) {
    case GRANARY_F64: EACH(double, x);
    case GRANARY_F32: EACH(float, (double)x);
    case GRANARY_F16: EACH(uint16_t, half(x));
    case GRANARY_BF16: EACH(uint16_t, float_of_bits((uint32_t)x << 16));
    default: EACH(uint8_t, (double)x);
  }
}

INLINE void widen_integers(
    granary_element type, const void *from, int64_t *restrict to, int64_t count) {
  switch (type) {
    case GRANARY_I64: EACH(int64_t, x);
    case GRANARY_I32: EACH(int32_t, x);
    case GRANARY_I16: EACH(int16_t, x);
    case GRANARY_I8: EACH(int8_t, x);
    default: EACH(uint8_t, x);
  }
}

INLINE void square_sum(
    const double *values, int64_t count, double *restrict sum, int64_t *restrict finite) {
  enum { LANES = 16 };
  double sums[LANES] = {0};
  int64_t counts[LANES] = {0};
  int64_t i = 0;
  for (; i + LANES <= count; i += LANES)
    for (int j = 0; j < LANES; j++) {
      const double x = values[i + j];
      const int is_finite = fabs(x) <= DBL_MAX;
      sums[j] += is_finite ? x * x : 0;
      counts[j] += is_finite;
    }
  for (; i < count; i++)
    if (fabs(values[i]) <= DBL_MAX) sums[0] += values[i] * values[i], counts[0]++;
  for (int j = 1; j < LANES; j++) sums[0] += sums[j], counts[0] += counts[j];
  *sum = sums[0];
  *finite = counts[0];
}

INLINE int64_t count_up_to(double limit, const double *values, int64_t count) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) found += fabs(values[i]) <= limit;
  return found;
}

static double tolerance(double expected, float error, const granary_tolerances *t) {
  const double size = fabs(expected);
  return fabsf(error) <= FLT_MAX ? (double)error + t->relative * size + t->absolute
                                 : t->relative_where_unknown * size + t->absolute_where_unknown;
}

/* The error over its tolerance; infinite for a wrong class. */
static double ratio(
    double got, double want, float error, const granary_tolerances *t, granary_strictness strictness) {
  if (strictness == GRANARY_FINITENESS)
    return !(fabs(got) <= DBL_MAX) && fabs(want) < t->moderate ? INFINITY : 0;
  if (want != want || got != got) return want != want && got != got ? 0 : INFINITY;
  if (fabs(want) >= t->limit) {
    /* The boundary of overflow: the neighbour on either side is as right. */
    const int agrees = !signbit(got) == !signbit(want) && fabs(got) >= t->lowest_at_limit;
    return agrees && (fabs(want) <= DBL_MAX || fabs(got) > DBL_MAX) ? 0 : INFINITY;
  }
  if (fabs(got) > DBL_MAX) return INFINITY;
  if (strictness != GRANARY_VALUES || got == want) return 0;
  return fabs(got - want) / tolerance(want, error, t);
}

/* Whether all of a part are finite, expected to be, and within their tolerances. Positive numbers are ordered
   as their bits are, which has the largest found without branches; a NaN would be beyond all. */
INLINE int is_plainly_right(
    const double *restrict got, const double *restrict want, const float *restrict errors,
    int64_t count, const granary_tolerances *given, uint64_t *worst) {
  const granary_tolerances t = *given;
  uint64_t largest = 0;
  uint64_t odd = 0;
  for (int64_t i = 0; i < count; i++) {
    const double size = fabs(want[i]), error = errors[i];
    const double known = error + t.relative * size + t.absolute;
    const double unknown = t.relative_where_unknown * size + t.absolute_where_unknown;
    const double ratio = fabs(got[i] - want[i]) / (fabs(error) <= FLT_MAX ? known : unknown);
    const int is_usual = (size < t.limit) & (fabs(got[i]) <= DBL_MAX);
    odd |= is_usual ? 0 : 1;
    uint64_t bits;
    memcpy(&bits, &ratio, sizeof bits);
    bits = got[i] == want[i] ? 0 : bits;
    largest = bits > largest ? bits : largest;
  }
  if (odd || largest > bits_of(1)) return 0;
  if (largest > *worst) *worst = largest;
  return 1;
}

INLINE int64_t compare_reals(
    granary_actual actual, const double *expected, const float *errors, int64_t from, int64_t to,
    const granary_tolerances *tolerances, granary_strictness strictness, double *worst,
    int64_t size) {
  double got[PART];
  float unknown[PART];
  for (int i = 0; i < PART; i++) got[i] = actual.value, unknown[i] = INFINITY;
  uint64_t largest = bits_of(*worst);
  for (int64_t at = from; at < to; at += PART) {
    const int64_t count = to - at < PART ? to - at : PART;
    if (actual.elements)
      widen_reals(actual.type, (const char *)actual.elements + at * size, got, count);
    const float *error = errors ? errors + at : unknown;
    if (strictness == GRANARY_VALUES
        && is_plainly_right(got, expected + at, error, count, tolerances, &largest))
      continue;
    for (int64_t i = 0; i < count; i++) {
      const double r = ratio(got[i], expected[at + i], error[i], tolerances, strictness);
      if (r > 1) return at + i;
      if (bits_of(r) > largest) largest = bits_of(r);
    }
  }
  memcpy(worst, &largest, sizeof *worst);
  return -1;
}

INLINE int64_t compare_integers(
    granary_actual actual, const int64_t *expected, const float *errors, int64_t from, int64_t to,
    int64_t size) {
  int64_t got[PART];
  for (int i = 0; i < PART; i++) got[i] = actual.whole;
  for (int64_t at = from; at < to; at += PART) {
    const int64_t count = to - at < PART ? to - at : PART;
    if (actual.elements)
      widen_integers(actual.type, (const char *)actual.elements + at * size, got, count);
    int64_t different = 0;
    for (int64_t i = 0; i < count; i++) different |= got[i] ^ expected[at + i];
    if (!different) continue;
    for (int64_t i = 0; i < count; i++) {
      if (got[i] == expected[at + i]) continue;
      const double difference = fabs((double)got[i] - (double)expected[at + i]);
      const float error = errors ? errors[at + i] : 0;
      if (!(fabsf(error) <= FLT_MAX) || difference > (double)error) return at + i;
    }
  }
  return -1;
}

static int64_t bytes_of(granary_element type) {
  switch (type) {
    case GRANARY_F64:
    case GRANARY_I64: return 8;
    case GRANARY_F32:
    case GRANARY_I32: return 4;
    case GRANARY_F16:
    case GRANARY_BF16:
    case GRANARY_I16: return 2;
    default: return 1;
  }
}

FOR_EACH_TARGET(
    void, granary_widen_reals,
    (granary_element type, const void *from, double *to, int64_t count), (type, from, to, count),
    { widen_reals(type, from, to, count); })

FOR_EACH_TARGET(
    void, granary_widen_integers,
    (granary_element type, const void *from, int64_t *to, int64_t count), (type, from, to, count),
    { widen_integers(type, from, to, count); })

FOR_EACH_TARGET(
    void, granary_square_sum,
    (const double *values, int64_t count, double *sum, int64_t *finite),
    (values, count, sum, finite), { square_sum(values, count, sum, finite); })

FOR_EACH_TARGET(
    int64_t, granary_count_up_to, (double limit, const double *values, int64_t count),
    (limit, values, count), { return count_up_to(limit, values, count); })

FOR_EACH_TARGET(
    int64_t, granary_compare_reals,
    (granary_actual actual, const double *expected, const float *errors, int64_t from, int64_t to,
     const granary_tolerances *tolerances, granary_strictness strictness, double *worst),
    (actual, expected, errors, from, to, tolerances, strictness, worst), {
      return compare_reals(
          actual, expected, errors, from, to, tolerances, strictness, worst, bytes_of(actual.type));
    })

FOR_EACH_TARGET(
    int64_t, granary_compare_integers,
    (granary_actual actual, const int64_t *expected, const float *errors, int64_t from, int64_t to),
    (actual, expected, errors, from, to), {
      return compare_integers(actual, expected, errors, from, to, bytes_of(actual.type));
    })
