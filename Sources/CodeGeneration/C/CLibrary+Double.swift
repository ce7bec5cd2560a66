import KernelSpec

/// Scalar functions on `f64`, accurate to a few units in the last place.
///
/// Reductions and polynomials follow fdlibm (Sun Microsystems, 1993); huge arguments of trigonometric functions
/// are reduced by Payne and Hanek's method with 1280 bits of 2/pi.
extension CLibrary {
  static let doubleFunctions: [Template] = [
    Template(
      "bits", .f64,
      """
      INLINE int64_t g_bits_f64(double x) { union { double f; int64_t i; } u; u.f = x; return u.i; }
      INLINE double g_ofBits_f64(int64_t x) { union { double f; int64_t i; } u; u.i = x; return u.f; }
      """),
    Template(
      "exp", .f64, requires: ["bits"],
      """
      INLINE double g_exp_f64(double x) {
        if (x != x) return x;
        if (x > 709.782712893384) return __builtin_inf();
        if (x < -745.2) return 0.0;
        int64_t k = (int64_t)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
        double n = (double)k;
        double hi = x - n * 6.93147180369123816490e-01, lo = n * 1.90821492927058770002e-10;
        double r = hi - lo, t = r * r;
        double c = r - t * (1.66666666666666019037e-01 + t * (-2.77777777770155933842e-03
            + t * (6.61375632143793436117e-05 + t * (-1.65339022054652515390e-06
            + t * 4.13813679705723846039e-08))));
        double y = 1.0 + (r * c / (2.0 - c) - lo + hi);
        int64_t half = k / 2;
        return y * g_ofBits_f64((half + 1023) << 52) * g_ofBits_f64((k - half + 1023) << 52);
      }
      """),
    Template(
      "expOfNonPositive", .f64, requires: ["exp"],
      "INLINE double g_expOfNonPositive_f64(double x) { return g_exp_f64(x); }"),
    Template(
      "expm1", .f64, requires: ["exp"],
      """
      INLINE double g_expm1_f64(double x) {
        if (!(x > -0.35 && x < 0.35)) return g_exp_f64(x) - 1.0;
        if (x == 0.0) return x;
        double sum = 0.0;
        for (int n = 15; n >= 2; n--) sum = (sum + 1.0) * x / (double)n;
        return x + x * sum;
      }
      """),
    Template(
      "split", .f64, requires: ["bits"],
      """
      INLINE double g_split_f64(double x, int64_t *exponent) {
        int64_t k = 0;
        if (x < 2.2250738585072014e-308) { x *= 18014398509481984.0; k = -54; }
        int64_t bits = g_bits_f64(x) + 0x3ff0000000000000 - 0x3fe6a09e00000000;
        *exponent = k + (bits >> 52) - 1023;
        return g_ofBits_f64((bits & 0xfffffffffffff) + 0x3fe6a09e00000000);
      }
      INLINE double g_logOfSplit_f64(double x, double n) {
        double f = x - 1.0, h = 0.5 * f * f, s = f / (2.0 + f), z = s * s, w = z * z;
        double a = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
        double b = z * (6.666666666666735130e-01 + w * (2.857142874366239149e-01
            + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
        return s * (h + a + b) + n * 1.90821492927058770002e-10 - h + f + n * 6.93147180369123816490e-01;
      }
      """),
    Template(
      "log", .f64, requires: ["split"],
      """
      INLINE double g_log_f64(double x) {
        if (!(x > 0.0)) return x == 0.0 ? -__builtin_inf() : __builtin_nan("");
        if (x == __builtin_inf()) return x;
        int64_t k;
        double m = g_split_f64(x, &k);
        return g_logOfSplit_f64(m, (double)k);
      }
      """),
    Template(
      "log2", .f64, requires: ["split"],
      """
      INLINE double g_log2_f64(double x) {
        if (!(x > 0.0)) return x == 0.0 ? -__builtin_inf() : __builtin_nan("");
        if (x == __builtin_inf()) return x;
        int64_t k;
        double m = g_split_f64(x, &k);
        return (double)k + g_logOfSplit_f64(m, 0.0) * 1.44269504088896338700;
      }
      """),
    Template(
      "log10", .f64, requires: ["log"],
      """
      INLINE double g_log10_f64(double x) { return g_log_f64(x) * 4.34294481903251816668e-01; }
      """),
    Template(
      "log1p", .f64, requires: ["log"],
      """
      INLINE double g_log1p_f64(double x) {
        double u = 1.0 + x;
        if (u == 1.0 || x == __builtin_inf()) return x;
        if (!(u > 0.0)) return g_log_f64(u);
        return g_log_f64(u) * (x / (u - 1.0));
      }
      """),
    Template(
      "tanh", .f64, requires: ["expm1"],
      """
      INLINE double g_tanh_f64(double x) {
        double a = __builtin_fabs(x);
        if (x != x) return x;
        if (a > 22.0) return __builtin_copysign(1.0, x);
        double t = g_expm1_f64(2.0 * a);
        return __builtin_copysign(a > 0.5 ? 1.0 - 2.0 / (t + 2.0) : t / (t + 2.0), x);
      }
      """),
    Template(
      "sinh", .f64, requires: ["expm1"],
      """
      INLINE double g_sinh_f64(double x) {
        double a = __builtin_fabs(x), r;
        if (a > 709.0) { double e = g_exp_f64(0.5 * a); r = 0.5 * e * e; }
        else { double t = g_expm1_f64(a); r = 0.5 * (t + t / (t + 1.0)); }
        return x != x ? x : __builtin_copysign(r, x);
      }
      """),
    Template(
      "cosh", .f64, requires: ["exp"],
      """
      INLINE double g_cosh_f64(double x) {
        double a = __builtin_fabs(x);
        if (a > 709.0) { double e = g_exp_f64(0.5 * a); return 0.5 * e * e; }
        double e = g_exp_f64(a);
        return 0.5 * (e + 1.0 / e);
      }
      """),
    Template(
      "asinh", .f64, requires: ["log1p"],
      """
      INLINE double g_asinh_f64(double x) {
        double a = __builtin_fabs(x);
        double r = a > 1e8 ? g_log_f64(a) + 0.69314718055994530942
            : g_log1p_f64(a + a * a / (1.0 + __builtin_sqrt(a * a + 1.0)));
        return x != x ? x : __builtin_copysign(r, x);
      }
      """),
    Template(
      "acosh", .f64, requires: ["log1p"],
      """
      INLINE double g_acosh_f64(double x) {
        if (!(x >= 1.0)) return __builtin_nan("");
        if (x > 1e8) return g_log_f64(x) + 0.69314718055994530942;
        double t = x - 1.0;
        return g_log1p_f64(t + __builtin_sqrt(2.0 * t + t * t));
      }
      """),
    Template(
      "atanh", .f64, requires: ["log1p"],
      """
      INLINE double g_atanh_f64(double x) {
        double a = __builtin_fabs(x);
        if (!(a <= 1.0)) return __builtin_nan("");
        if (a == 1.0) return __builtin_copysign(__builtin_inf(), x);
        return __builtin_copysign(0.5 * g_log1p_f64(2.0 * a / (1.0 - a)), x);
      }
      """),
    Template(
      "sigmoid", .f64, requires: ["exp"],
      """
      INLINE double g_sigmoid_f64(double x) {
        return x < -700.0 ? g_exp_f64(x) : 1.0 / (1.0 + g_exp_f64(-x));
      }
      """),
    Template(
      "erf", .f64, requires: ["exp"],
      """
      INLINE double g_erf_f64(double x) {
        double a = __builtin_fabs(x), r;
        if (x != x) return x;
        if (a >= 6.0) return __builtin_copysign(1.0, x);
        double gauss = g_exp_f64(-a * a);
        if (a < 2.5) {
          double sum = 0.0;
          for (int n = 60; n >= 1; n--) sum = (1.0 + sum) * 2.0 * a * a / (2.0 * n + 1.0);
          r = 1.12837916709551257390 * a * (1.0 + sum) * gauss;
        } else {
          double f = a;
          for (int n = 80; n >= 1; n--) f = a + 0.5 * n / f;
          r = 1.0 - gauss / f * 0.56418958354775628695;
        }
        return __builtin_copysign(r, x);
      }
      """),
    Template(
      "power", .f64, requires: ["exp", "log"],
      """
      INLINE double g_power_f64(double x, double y) {
        if (y == 0.0 || x == 1.0) return 1.0;
        if (x != x || y != y) return __builtin_nan("");
        double size = __builtin_fabs(y);
        int isInteger = size >= 4503599627370496.0 || (double)(int64_t)y == y;
        int isOdd = size < 9007199254740992.0 && isInteger && ((int64_t)y & 1);
        if (isInteger && size <= 64.0) {
          double r = 1.0, b = x;
          for (int64_t n = (int64_t)size; n; n >>= 1) { if (n & 1) r *= b; b *= b; }
          return y < 0.0 ? 1.0 / r : r;
        }
        double a = __builtin_fabs(x);
        if (a == 1.0 && size == __builtin_inf()) return 1.0;
        if (x < 0.0 && !isInteger && a < __builtin_inf()) return __builtin_nan("");
        double r = g_exp_f64(y * g_log_f64(a));
        return isOdd && __builtin_signbit(x) ? -r : r;
      }
      """),
    Template(
      "fmod", .f64, requires: ["bits"],
      """
      INLINE double g_fmod_f64(double x, double y) {
        double a = __builtin_fabs(x), b = __builtin_fabs(y);
        if (!(a < __builtin_inf()) || !(b > 0.0)) return __builtin_nan("");
        if (a < b) return x;
        int64_t ua = g_bits_f64(a), ub = g_bits_f64(b);
        int ea = (int)(ua >> 52), eb = (int)(ub >> 52);
        uint64_t ma = (uint64_t)(ua & 0xfffffffffffff), mb = (uint64_t)(ub & 0xfffffffffffff);
        if (ea == 0) ea = 1; else ma |= 0x10000000000000;
        if (eb == 0) eb = 1; else mb |= 0x10000000000000;
        for (; ea > eb; ea--) { if (ma >= mb) ma -= mb; ma <<= 1; }
        if (ma >= mb) ma -= mb;
        if (ma == 0) return __builtin_copysign(0.0, x);
        while (ma < 0x10000000000000 && ea > 1) { ma <<= 1; ea--; }
        int64_t bits = ma < 0x10000000000000 ? (int64_t)ma : (int64_t)(ma & 0xfffffffffffff) | (int64_t)ea << 52;
        return __builtin_copysign(g_ofBits_f64(bits), x);
      }
      """),
    Template(
      "remainder", .f64, requires: ["fmod"],
      """
      INLINE double g_remainder_f64(double x, double y) {
        double r = g_fmod_f64(x, y);
        return r != 0.0 && (r < 0.0) != (y < 0.0) ? r + y : r;
      }
      """),
    Template(
      "floorDivide", .f64, requires: ["fmod", "floor"],
      """
      INLINE double g_floorDivide_f64(double x, double y) {
        if (y == 0.0) return x / y;
        double m = g_fmod_f64(x, y), q = (x - m) / y;
        if (m != 0.0 && (y < 0.0) != (m < 0.0)) q -= 1.0;
        if (q == 0.0) return __builtin_copysign(0.0, x / y);
        double f = g_floor_f64(q);
        return q - f > 0.5 ? f + 1.0 : f;
      }
      """),
  ]
}
