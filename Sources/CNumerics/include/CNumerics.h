/// Loops over the elements of tensors, for the widest vectors that this machine has.
#pragma once

#include <stdint.h>

/// How an element is stored.
typedef enum {
  GRANARY_F64,
  GRANARY_F32,
  GRANARY_F16,
  GRANARY_BF16,
  GRANARY_I64,
  GRANARY_I32,
  GRANARY_I16,
  GRANARY_I8,
  GRANARY_U8,
} granary_element;

/// Writes `count` floating-point elements at `from`, at any alignment, to `to` as `double`.
void granary_widen_reals(granary_element type, const void *from, double *to, int64_t count);

/// Writes `count` integers at `from`, at any alignment, to `to`.
void granary_widen_integers(granary_element type, const void *from, int64_t *to, int64_t count);

/// How random numbers lie.
typedef enum {
  /// Mean 0, deviation 1, never beyond 4.25.
  GRANARY_NORMAL,
  /// -1 to 1.
  GRANARY_UNIFORM,
  /// Normal, of which a quarter are times 2^-130, the others times 2^-20.
  GRANARY_TINY,
  /// A quarter are normal, a quarter negative zeros, the others positive ones.
  GRANARY_ZEROS,
  /// Normal, but for one in 64 that is NaN or an infinity.
  GRANARY_SPECIAL,
  /// -4 to 4.
  GRANARY_INTEGERS,
  /// Normal, times a power of two from 2^-8 to 2^8.
  GRANARY_WIDE,
  /// The magnitude of a normal number, and 1/4.
  GRANARY_POSITIVE,
} granary_distribution;

/// Draws `count` numbers, multiplied by `scale`, to `to`, and moves `*state` on: the numbers that follow are those that
/// one call for all would have drawn. The same on every machine.
void granary_draw(
    granary_distribution distribution, uint64_t *state, double scale, double *to, int64_t count);

/// Writes `count` numbers at `from` to `to`, rounded.
void granary_narrow_reals(const double *from, float *to, int64_t count);

/// Sets `*square_sum` and `*finite_count` for those of `count` values at `values` that are finite.
void granary_square_sum(
    const double *values, int64_t count, double *square_sum, int64_t *finite_count);

/// What of a result must agree.
typedef enum {
  /// Every value, within its tolerance.
  GRANARY_VALUES,
  /// What is finite, NaN or infinite.
  GRANARY_CLASSES,
  /// Where the expected value is below `moderate`, the result must be finite.
  GRANARY_FINITENESS,
} granary_strictness;

/// How far a floating-point value may be from what was expected: its possible error, `relative` times the
/// expected magnitude, and `absolute`; where the error is not finite or not given, the `unknown` ones.
typedef struct {
  double relative, absolute;
  double relative_where_unknown, absolute_where_unknown;
  /// The magnitude from which on a value may overflow by rounding, and the least that may stand for it.
  double limit, lowest_at_limit;
  /// Values below it are far from overflow.
  double moderate;
} granary_tolerances;

/// What comes out of the kernel under test: elements, or one value for all of them.
typedef struct {
  granary_element type;
  /// NULL for `value`, or `whole` where integers are compared.
  const void *elements;
  double value;
  int64_t whole;
} granary_actual;

/// Compares floating-point elements `from` to `to` with `expected`; `errors` may be NULL.
///
/// Returns the position of the first that is beyond its tolerance or of the wrong class, or -1. When there is
/// none, `*worst` is at least the largest error over its tolerance.
int64_t granary_compare_reals(
    granary_actual actual, const double *expected, const float *errors, int64_t from, int64_t to,
    const granary_tolerances *tolerances, granary_strictness strictness, double *worst);

/// How many values have magnitudes of at most `limit`; a NaN has not. Of these, `*uncertain` have a possible error
/// beyond `share` of the sum of their magnitude and `scale`, or one that is not a number; none where `errors` is NULL.
/// `*near_limit` are larger, by a factor of up to 64.
int64_t granary_count_in_range(
    const double *values, const float *errors, int64_t count, double limit, double share, double scale,
    int64_t *uncertain, int64_t *near_limit);

/// Compares integers; each may differ by its error. Returns the position of the first that does not agree, or -1.
int64_t granary_compare_integers(
    granary_actual actual, const int64_t *expected, const float *errors, int64_t from, int64_t to);
