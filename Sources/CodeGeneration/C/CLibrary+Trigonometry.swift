import KernelSpec

/// Trigonometric functions on `f64`.
extension CLibrary {
  static let doubleTrigonometry: [Template] = [
    Template(
      "atan", .f64, requires: ["bits"],
      """
      INLINE double g_atan_f64(double x) {
        double a = __builtin_fabs(x), high, low, t;
        if (x != x) return x;
        if (a < 0.4375) { high = 0.0; low = 0.0; t = a; }
        else if (a < 0.6875) { high = 4.63647609000806093515e-01; low = 2.26987774529616870924e-17; t = (2.0 * a - 1.0) / (2.0 + a); }
        else if (a < 1.1875) { high = 7.85398163397448278999e-01; low = 3.06161699786838301793e-17; t = (a - 1.0) / (a + 1.0); }
        else if (a < 2.4375) { high = 9.82793723247329054082e-01; low = 1.39033110312309984516e-17; t = (a - 1.5) / (1.0 + 1.5 * a); }
        else { high = 1.57079632679489655800e+00; low = 6.12323399573676603587e-17; t = -1.0 / a; }
        double z = t * t, w = z * z;
        double p = z * (3.33333333333329318027e-01 + w * (1.42857142725034663711e-01 + w * (9.09088713343650656196e-02
            + w * (6.66107313738753120669e-02 + w * (4.97687799461593236017e-02 + w * 1.62858201153657823623e-02)))));
        double q = w * (-1.99999999998764832476e-01 + w * (-1.11111104054623557880e-01 + w * (-7.69187620504482999495e-02
            + w * (-5.83357013379057348645e-02 + w * -3.65315727442169155270e-02))));
        return __builtin_copysign(high - ((t * (p + q) - low) - t), x);
      }
      """),
    Template(
      "atan2", .f64, requires: ["atan"],
      """
      INLINE double g_atan2_f64(double y, double x) {
        if (x != x || y != y) return __builtin_nan("");
        double ay = __builtin_fabs(y), ax = __builtin_fabs(x), r;
        if (ay == 0.0 && ax == 0.0) r = 0.0;
        else if (ay == ax) r = 0.78539816339744827900;
        else if (ay > ax) r = 1.57079632679489655800 - (g_atan_f64(ax / ay) - 6.12323399573676603587e-17);
        else r = g_atan_f64(ay / ax);
        if (__builtin_signbit(x)) r = 3.14159265358979311600 - (r - 1.22464679914735317723e-16);
        return __builtin_copysign(r, y);
      }
      """),
    Template(
      "asin", .f64, requires: ["atan2"],
      """
      INLINE double g_asin_f64(double x) {
        if (!(x >= -1.0 && x <= 1.0)) return __builtin_nan("");
        return g_atan2_f64(x, __builtin_sqrt((1.0 - x) * (1.0 + x)));
      }
      """),
    Template(
      "acos", .f64, requires: ["atan2"],
      """
      INLINE double g_acos_f64(double x) {
        if (!(x >= -1.0 && x <= 1.0)) return __builtin_nan("");
        return g_atan2_f64(__builtin_sqrt((1.0 - x) * (1.0 + x)), x);
      }
      """),
    Template(
      "reduceAngle", .f64, requires: ["bits"],
      """
      static double g_reduceHugeAngle_f64(double a, int *quadrant) {
        static const uint64_t digits[21] = {
        0, 0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u,
        0xfe5163abdebbc561u, 0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu,
        0xe88235f52ebb4484u, 0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu,
        0x1ff897ffde05980fu, 0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du,
        0x7527bac7ebe5f17bu, 0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu,
        0xf0cfbc209af4361du
        };
        int64_t bits = g_bits_f64(a);
        int e = (int)(bits >> 52) - 1075;
        uint64_t m = (uint64_t)((bits & 0xfffffffffffff) | 0x10000000000000);
        int start = e - 2 + 64, limb = start / 64, shift = start % 64;
        uint64_t w[3];
        for (int n = 0; n < 3; n++)
          w[n] = shift == 0 ? digits[limb + n]
              : digits[limb + n] << shift | digits[limb + n + 1] >> (64 - shift);
        unsigned __int128 low = (unsigned __int128)w[2] * m, middle = (unsigned __int128)w[1] * m + (uint64_t)(low >> 64);
        uint64_t high = w[0] * m + (uint64_t)(middle >> 64), next = (uint64_t)middle;
        uint64_t whole = high >> 62;
        uint64_t f1 = high << 2 | next >> 62, f2 = next << 2;
        *quadrant = (int)whole + (int)(f1 >> 63);
        double fraction = (double)(int64_t)f1 * 0x1p-64 + (double)f2 * 0x1p-128;
        return fraction * 1.57079632679489661923;
      }
      static double g_reduceAngle_f64(double x, int *quadrant) {
        double a = __builtin_fabs(x), r;
        int q;
        if (a < 1000000.0) {
          int64_t k = (int64_t)(a * 6.36619772367581382433e-01 + 0.5);
          double n = (double)k;
          r = a - n * 1.57079632673412561417e+00;
          double second = n * 6.07710050630396597660e-11;
          double t = r - second;
          double error = (r - t) - second;
          r = t + (error - n * 2.02226624879595063154e-21);
          q = (int)(k & 3);
        } else r = g_reduceHugeAngle_f64(a, &q);
        *quadrant = x < 0.0 ? -q : q;
        return x < 0.0 ? -r : r;
      }
      INLINE double g_sinOfReduced_f64(double x) {
        double z = x * x;
        return x + x * z * (-1.66666666666666324348e-01 + z * (8.33333333332248946124e-03 + z * (-1.98412698298579493134e-04
            + z * (2.75573137070700676789e-06 + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
      }
      INLINE double g_cosOfReduced_f64(double x) {
        double z = x * x, h = 0.5 * z, w = 1.0 - h;
        double r = z * z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05
            + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
        return w + ((1.0 - w - h) + r);
      }
      """),
    Template(
      "sin", .f64, requires: ["reduceAngle"],
      """
      INLINE double g_sin_f64(double x) {
        if (!(__builtin_fabs(x) < __builtin_inf())) return __builtin_nan("");
        if (x == 0.0) return x;
        int q;
        double r = g_reduceAngle_f64(x, &q);
        double s = (q & 1) ? g_cosOfReduced_f64(r) : g_sinOfReduced_f64(r);
        return (q & 2) ? -s : s;
      }
      """),
    Template(
      "cos", .f64, requires: ["reduceAngle"],
      """
      INLINE double g_cos_f64(double x) {
        if (!(__builtin_fabs(x) < __builtin_inf())) return __builtin_nan("");
        int q;
        double r = g_reduceAngle_f64(x, &q);
        double c = (q & 1) ? g_sinOfReduced_f64(r) : g_cosOfReduced_f64(r);
        return ((q + 1) & 2) ? -c : c;
      }
      """),
    Template(
      "tan", .f64, requires: ["sin", "cos"],
      """
      INLINE double g_tan_f64(double x) { return g_sin_f64(x) / g_cos_f64(x); }
      """),
  ]
}
