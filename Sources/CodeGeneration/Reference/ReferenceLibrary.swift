/// The C text that every reference begins with.
enum ReferenceLibrary {
  static let text = [conversions, functions, bounded].joined(separator: "\n")

  /// From and to the types of elements.
  private static let conversions = """
    static inline double from_bf16(uint16_t x) {
      uint32_t bits = (uint32_t)x << 16;
      float f;
      memcpy(&f, &bits, 4);
      return f;
    }
    static inline double from_f16(uint16_t x) {
      int exponent = x >> 10 & 31, fraction = x & 1023;
      double size = exponent == 31 ? (fraction ? NAN : INFINITY)
          : exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24);
      return x & 0x8000 ? -size : size;
    }
    static inline double to_f32(double x) { return (double)(float)x; }
    /* Infinite where an f32 would be. */
    static inline double in_range(double x) {
      return fabs(x) > 0x1.FFFFFFp127 ? copysign(INFINITY, x) : x;
    }
    /* The nearest number with the given bits after the point and exponents from least to most, ties to even. */
    static inline double nearest(double x, int digits, int least, double most) {
      if (x != x) return x;
      if (fabs(x) < ldexp(1.0, least)) {
        /* Its last bit is that of the smallest number. */
        const double lift = ldexp(1.5, 52 + least - digits);
        return copysign((x + lift) - lift, x);
      }
      uint64_t bits;
      memcpy(&bits, &x, 8);
      const uint64_t half = UINT64_C(1) << (51 - digits);
      bits = (bits + half - 1 + (bits >> (52 - digits) & 1)) & -(half << 1);
      memcpy(&x, &bits, 8);
      return fabs(x) > most ? copysign(INFINITY, x) : x;
    }
    static inline double to_f16(double x) { return nearest(x, 10, -14, 65504.0); }
    static inline double to_bf16(double x) { return nearest(x, 7, -126, 0x1.FEp127); }
    /* Truncated; NaN is 0, and what is beyond the type its nearest end. */
    static inline int64_t to_whole(double x) {
      if (x != x) return 0;
      return x >= 0x1p63 ? INT64_MAX : x < -0x1p63 ? INT64_MIN : (int64_t)x;
    }
    """

  /// What expressions call.
  private static let functions = """
    static inline int64_t latest(int64_t x, int64_t y) { return x > y ? x : y; }
    static inline int64_t earliest(int64_t x, int64_t y) { return x < y ? x : y; }
    static inline double larger(double x, double y) { return x != x || x > y ? x : y; }
    static inline double smaller(double x, double y) { return x != x || x < y ? x : y; }
    static inline int64_t quotient(int64_t x, int64_t y) { return y == 0 ? 0 : y == -1 ? -x : x / y; }
    static inline int64_t dividend_sign(int64_t x, int64_t y) { return y == 0 || y == -1 ? 0 : x % y; }
    static inline int64_t divisor_sign(int64_t x, int64_t y) {
      int64_t r = dividend_sign(x, y);
      return r != 0 && (r < 0) != (y < 0) ? r + y : r;
    }
    static inline int64_t floor_quotient(int64_t x, int64_t y) {
      return y == 0 ? 0 : quotient(x - divisor_sign(x, y), y);
    }
    static inline double float_divisor_sign(double x, double y) {
      double r = fmod(x, y);
      return r != 0 ? ((r < 0) != (y < 0) ? r + y : r) : r;
    }
    static inline double float_floor_quotient(double x, double y) {
      if (y == 0) return x / y;
      double r = fmod(x, y), q = (x - r) / y;
      if (r != 0 && (r < 0) != (y < 0)) q -= 1;
      return q == 0 ? copysign(0.0, x / y) : nearbyint(q);
    }
    static inline int64_t integer_power(int64_t x, int64_t y) {
      if (y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
      int64_t r = 1;
      for (; y; y >>= 1, x *= x) if (y & 1) r *= x;
      return r;
    }
    static inline int64_t random_bits(int64_t key, int64_t counter) {
      uint32_t k0 = (uint32_t)key, k1 = (uint32_t)((uint64_t)key >> 32);
      uint32_t w[4] = {(uint32_t)counter, (uint32_t)((uint64_t)counter >> 32), 0, 0};
      for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)w[0] * 0xD2511F53u, q = (uint64_t)w[2] * 0xCD9E8D57u;
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ w[1] ^ k0, (uint32_t)q,
                            (uint32_t)(p >> 32) ^ w[3] ^ k1, (uint32_t)p};
        memcpy(w, next, sizeof w);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      return (int64_t)(w[0] | (uint64_t)w[1] << 32);
    }
    static inline double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
    """

  /// Arithmetic that carries errors along (decision 010).
  ///
  /// Each operation adds the square of its own rounding to the squares of what its operands pass on, as errors
  /// of independent signs do; the units are large enough for those that are not independent.
  private static let bounded = """
    /* A value, and the square of how far from it a right evaluation may come out. */
    typedef struct { double v, q; } num;
    typedef struct { int64_t v; double q; } whole;
    static inline num exactly(double v) { return (num){v, 0}; }
    static inline whole certainly(int64_t v) { return (whole){v, 0}; }
    static inline num stored(const double *v, const float *e, int64_t i) {
      return (num){v[i], (double)e[i] * (double)e[i]};
    }
    static inline whole stored_whole(const int64_t *v, const float *e, int64_t i) {
      return (whole){v[i], (double)e[i] * (double)e[i]};
    }
    static inline double square(double x) { return x * x; }
    /* The square of the error of an operation whose result is v; small results may be flushed to zero. */
    static inline double rounding(double v, double unit) { return square(unit * v) + 0x1p-252; }
    static inline num made(double v, double unit) { return (num){v, rounding(v, unit)}; }
    static inline double reach(double q) { return sqrt(q); }
    static inline int64_t steps(double q) { return q < 0x1p120 ? (int64_t)ceil(sqrt(q)) : INT64_MAX >> 2; }
    /* How far a function moves from v, given its values on both sides; one that is not a number says nothing. */
    static inline double spread(double v, double low, double high) {
      double a = fabs(low - v), b = fabs(high - v);
      a = a == a ? a : 0;
      b = b == b ? b : 0;
      return square(a > b ? a : b);
    }
    static inline num opposite(num x) { return (num){-x.v, x.q}; }
    static inline num added(num x, num y, double unit) {
      const double v = x.v + y.v;
      return (num){v, x.q + y.q + rounding(v, unit)};
    }
    static inline num subtracted(num x, num y, double unit) {
      const double v = x.v - y.v;
      return (num){v, x.q + y.q + rounding(v, unit)};
    }
    static inline num product(double x, double y, double unit) { return made(x * y, unit); }
    static inline num scaled(num x, double y, double unit) {
      const double v = x.v * y;
      return (num){v, x.q * square(y) + rounding(v, unit)};
    }
    static inline num multiplied(num x, num y, double unit) {
      const double v = x.v * y.v;
      return (num){v, x.q * square(y.v) + y.q * square(x.v) + x.q * y.q + rounding(v, unit)};
    }
    static inline num divided(num x, num y, double unit) {
      const double v = x.v / y.v, sure = fabs(y.v) - sqrt(y.q);
      const double moved = y.q > 0 ? (sure > 0 ? y.q * square(v / sure) : INFINITY) : 0;
      return (num){v, x.q / square(sure) + moved + rounding(v, unit)};
    }
    /* The larger; the error of the other counts as far as it may reach beyond it. */
    static inline num largest(num x, num y) {
      const double v = larger(x.v, y.v), a = sqrt(x.q), b = sqrt(y.q);
      const double high = x.v + a > y.v + b ? x.v + a : y.v + b;
      const double low = x.v - a > y.v - b ? x.v - a : y.v - b;
      return (num){v, spread(v, low, high)};
    }
    static inline num smallest(num x, num y) { return opposite(largest(opposite(x), opposite(y))); }
    /* Whether a comparison may come out the other way. */
    static inline double near(num x, num y) {
      const double q = x.q + y.q;
      return q > 0 && square(x.v - y.v) <= q ? 1 : 0;
    }
    static inline whole both(whole x, whole y) {
      const int flips = (x.q > 0 && (y.v || y.q > 0)) || (y.q > 0 && (x.v || x.q > 0));
      return (whole){x.v && y.v, flips};
    }
    static inline whole either(whole x, whole y) {
      const int flips = (x.q > 0 && (!y.v || y.q > 0)) || (y.q > 0 && (!x.v || x.q > 0));
      return (whole){x.v || y.v, flips};
    }
    /* By how much more than one operation a sum of n terms may be off in any order, relative to the sum of their
       magnitudes: errors of random signs, of sums in parts of at most 4096; and of equal terms, whose errors have
       one sign, in the sixteen lanes of a vector. */
    static inline double terms(double n) { return 1 + sqrt(n < 4096 ? n : 4096) / 8 + n / 8192; }
    static inline float error(double q) { return (float)sqrt(q); }
    """
}
