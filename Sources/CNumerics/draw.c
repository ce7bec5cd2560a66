#include <stddef.h>
#include <string.h>

#include "targets.h"

/* SplitMix64: the word with a number is a function of the seed and that number, so that lanes need not wait for each
   other (Steele, Lea and Flood, OOPSLA 2014). */
static const uint64_t GAMMA = UINT64_C(0x9E3779B97F4A7C15);

INLINE uint64_t word(uint64_t state, uint64_t number) {
  uint64_t z = state + GAMMA * number;
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* One of `count` numbers from 0 on. */
INLINE int64_t choice(uint64_t word, uint64_t count) { return (int64_t)(((word >> 32) * count) >> 32); }

/* The sum of six uniform numbers, scaled: mean 0, deviation 1, never beyond 4.25, and no logarithm whose last bit
   depends on the C library. Four of them are short, since two long ones fill the digits. */
INLINE double normal(uint64_t brief, uint64_t wide) {
  const uint64_t sum = (brief & 0xFFFF) + ((brief >> 16) & 0xFFFF) + ((brief >> 32) & 0xFFFF) + (brief >> 48);
  const int64_t all = (int64_t)((sum << 16) + (wide & 0xFFFFFFFFu) + (wide >> 32));
  /* Six variances of 1/12 make 1/2; the mean is half of 4 (2^16 - 1) 2^16 + 2 (2^32 - 1). */
  return ((double)all - 12884770815.0) * (0x1p-32 * 1.4142135623730951);
}

INLINE double of_bits(uint64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

INLINE double power_of_two(int64_t exponent) { return of_bits((uint64_t)(exponent + 1023) << 52); }

/* `N(k)` is the k-th of the element's own words. */
#define DRAW(WORDS, VALUE)                                     \
  for (int64_t i = 0; i < count; i++) {                        \
    const uint64_t at = (uint64_t)i * (WORDS) + 1;             \
    to[i] = (VALUE) * scale;                                   \
  }                                                            \
  *state += GAMMA * (WORDS) * (uint64_t)count;                 \
  return
#define N(k) word(from, at + (k))
#define NORMAL normal(N(0), N(1))

INLINE void draw(
    granary_distribution distribution, uint64_t *state, double scale, double *restrict to, int64_t count) {
  const uint64_t from = *state;
  switch (distribution) {
    case GRANARY_NORMAL: DRAW(2, NORMAL);
    case GRANARY_UNIFORM: DRAW(1, (double)(int64_t)(N(0) >> 11) * 0x1p-52 - 1);
    case GRANARY_TINY: DRAW(3, NORMAL * (N(2) >> 62 == 0 ? 0x1p-130 : 0x1p-20));
    case GRANARY_ZEROS:
      DRAW(3, N(2) >> 62 == 1 ? NORMAL : of_bits(N(2) >> 62 == 0 ? UINT64_C(1) << 63 : 0));
    case GRANARY_SPECIAL: {
      const double special[4] = {of_bits(UINT64_C(0x7FF8) << 48), of_bits(UINT64_C(0x7FF0) << 48),
                                 of_bits(UINT64_C(0xFFF0) << 48), 0};
      DRAW(3, choice(N(2), 192) > 2 ? NORMAL : special[choice(N(2), 192) & 3]);
    }
    case GRANARY_INTEGERS: DRAW(1, (double)(choice(N(0), 9) - 4));
    case GRANARY_WIDE: DRAW(3, NORMAL * power_of_two(choice(N(2), 17) - 8));
    case GRANARY_POSITIVE: DRAW(2, __builtin_fabs(NORMAL) + 0.25);
  }
}

FOR_EACH_TARGET(
    void, granary_draw,
    (granary_distribution distribution, uint64_t *state, double scale, double *to, int64_t count),
    (distribution, state, scale, to, count), { draw(distribution, state, scale, to, count); })

FOR_EACH_TARGET(
    void, granary_narrow_reals, (const double *from, float *to, int64_t count), (from, to, count), {
      for (int64_t i = 0; i < count; i++) to[i] = (float)from[i];
    })
