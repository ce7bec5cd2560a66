import KernelSpec

/// Functions with one text for scalars and vectors of `f32` and `f64`.
///
/// Polynomials for `f32` are those of Cephes (S. Moshier), except that of `expm1`, which is Taylor's, and those of
/// the exponentials, minimax fits of their own; the complement of `erf` is that of Abramowitz and Stegun 7.1.26.
/// Over all `f32`, `log` is within 0.7 units in the last place, `exp`, `log1p` and `expm1` within 1.7,
/// `expOfNonPositive` within 2. Both exponentials give 0 below -87.5, where results are about to be subnormal.
extension CLibrary {
  static let genericTemplates: [String: GenericTemplate] = [
    "absolute": GenericTemplate(
      text: "INLINE $F g_absolute_$name($F x) { return g_pick_$name(x <= 0, $Z - x, x); }"),
    "maximum": GenericTemplate(
      requires: ["larger"],
      text: """
        INLINE $F g_maximum_$name($F x, $F y) { return g_pick_$name(x != x, x, g_larger_$name(x, y)); }
        """),
    "minimum": GenericTemplate(
      requires: ["smaller"],
      text: """
        INLINE $F g_minimum_$name($F x, $F y) { return g_pick_$name(x != x, x, g_smaller_$name(x, y)); }
        """),
    "maximum_of_three": GenericTemplate(
      requires: ["larger"], text: ofThree("maximum", by: "larger")),
    "minimum_of_three": GenericTemplate(
      requires: ["smaller"], text: ofThree("minimum", by: "smaller")),
    "larger": GenericTemplate(
      text: "INLINE $F g_larger_$name($F x, $F y) { return g_pick_$name(x > y, x, y); }"),
    "smaller": GenericTemplate(
      text: "INLINE $F g_smaller_$name($F x, $F y) { return g_pick_$name(x < y, x, y); }"),
    "sign": GenericTemplate(
      text: """
        INLINE $F g_sign_$name($F x) {
          return g_pick_$name(x > 0, $Z + 1, g_pick_$name(x < 0, $Z - 1, $Z));
        }
        """),
    "signed": GenericTemplate(
      requires: ["absolute"],
      text: """
        /* y with the sign of zero of x where y is zero */
        INLINE $F g_signed_$name($F y, $F x) { return g_pick_$name(y == 0, x * 0, y); }
        """),
    "round": GenericTemplate(
      requires: ["absolute", "signed"],
      text: """
        INLINE $F g_round_$name($F x) {
          $F a = g_absolute_$name(x), r = (a + $whole) - $whole;
          r = g_pick_$name(x < 0, -r, r);
          return g_pick_$name(a < $whole, g_signed_$name(r, x), x);
        }
        """),
    "floor": GenericTemplate(
      requires: ["round", "signed", "absolute"],
      text: """
        INLINE $F g_floor_$name($F x) {
          $F r = g_round_$name(x);
          r = g_pick_$name(r > x, r - 1, r);
          return g_pick_$name(g_absolute_$name(x) < $whole, g_signed_$name(r, x), x);
        }
        """),
    "ceil": GenericTemplate(
      requires: ["round", "signed", "absolute"],
      text: """
        INLINE $F g_ceil_$name($F x) {
          $F r = g_round_$name(x);
          r = g_pick_$name(r < x, r + 1, r);
          return g_pick_$name(g_absolute_$name(x) < $whole, g_signed_$name(r, x), x);
        }
        """),
    "truncate": GenericTemplate(
      requires: ["floor", "ceil"],
      text: """
        INLINE $F g_truncate_$name($F x) {
          return g_pick_$name(x < 0, g_ceil_$name(x), g_floor_$name(x));
        }
        """),
    "reciprocal": GenericTemplate(
      text: "INLINE $F g_reciprocal_$name($F x) { return 1 / x; }"),
    "rsqrt": GenericTemplate(
      requires: ["sqrt"], text: "INLINE $F g_rsqrt_$name($F x) { return 1 / g_sqrt_$name(x); }"),
    "exp": GenericTemplate(
      dtypes: [.f32],
      text: """
        /* 2^(k-1) * 2exp(r): the low bits of t are those of k-1 with the exponent's bias */
        INLINE $F g_exp_$name($F x) {
          x = g_pick_$name(x < -87.5f, $Z - 87.5f, x);
          x = g_pick_$name(x > 89.0f, $Z + 89.0f, x);
          $F t = x * 1.44269504088896341f + 12583038.0f, n = t - 12583038.0f;
          $F r = x - n * 0.693359375f;
          r = r + n * 2.12194440e-4f;
          $F p = r * 2.7629078e-3f + 1.673749e-2f;
          p = p * r + 8.333678e-2f;
          p = p * r + 3.3333042e-1f;
          p = p * r + 9.9999988e-1f;
          p = p * r + 2.0f;
          p = p * r + 2.0f;
          return p * g_asFloat_$name(($I)(g_asInt_$name(t) << 23));
        }
        """),
    "expOfNonPositive": GenericTemplate(
      dtypes: [.f32],
      text: """
        INLINE $F g_expOfNonPositive_$name($F x) {
          x = g_pick_$name(x < -87.5f, $Z - 87.5f, x);
          $F t = x * 1.44269504088896341f + 12583038.0f, n = t - 12583038.0f;
          $F r = x - n * 0.693359375f;
          r = r + n * 2.12194440e-4f;
          $F p = r * 1.6580544e-2f + 8.379632e-2f;
          p = p * r + 3.3335276e-1f;
          p = p * r + 9.9998296e-1f;
          p = p * r + 1.9999994f;
          p = p * r + 2.0f;
          return p * g_asFloat_$name(($I)(g_asInt_$name(t) << 23));
        }
        """),
    "expm1": GenericTemplate(
      dtypes: [.f32], requires: ["exp", "absolute"],
      text: """
        INLINE $F g_expm1_$name($F x) {
          $F p = x * 1.98412698e-4f + 1.38888889e-3f;
          p = p * x + 8.33333333e-3f;
          p = p * x + 4.16666667e-2f;
          p = p * x + 1.66666667e-1f;
          p = p * x + 0.5f;
          /* the zero that is added keeps the sign of a zero */
          p = x + x * (x * p + 0.0f);
          return g_pick_$name(g_absolute_$name(x) < 0.4f, p, g_exp_$name(x) - 1.0f);
        }
        """),
    "log": GenericTemplate(
      dtypes: [.f32],
      text: """
        INLINE $F g_log_$name($F x) {
          $F s = g_pick_$name(x < 0x1p-126f, x * 0x1p23f, x);
          $I b = g_asInt_$name(s) - 0x3f3504f3;
          $F n = g_toFloat_$name(b >> 23) - g_pick_$name(x < 0x1p-126f, $Z + 23.0f, $Z);
          $F f = g_asFloat_$name((b & 0x7fffff) + 0x3f3504f3) - 1.0f, z = f * f;
          $F p = f * 7.0376836292e-2f - 1.1514610310e-1f;
          p = p * f + 1.1676998740e-1f;
          p = p * f - 1.2420140846e-1f;
          p = p * f + 1.4249322787e-1f;
          p = p * f - 1.6668057665e-1f;
          p = p * f + 2.0000714765e-1f;
          p = p * f - 2.4999993993e-1f;
          p = p * f + 3.3333331174e-1f;
          p = p * f * z - n * 2.12194440e-4f - 0.5f * z;
          $F r = f + p + n * 0.693359375f;
          r = g_pick_$name(x > 0x1.fffffep127f, x, r);
          $F none = g_pick_$name(x == 0, $Z - __builtin_inff(), $Z + __builtin_nanf(""));
          return g_pick_$name(x > 0, r, none);
        }
        """),
    "log1p": GenericTemplate(
      dtypes: [.f32], requires: ["log"],
      text: """
        /* log(u) is off by the rounding of u; the quotient puts it right (W. Kahan) */
        INLINE $F g_log1p_$name($F x) {
          $F u = x + 1.0f, d = u - 1.0f;
          $F r = g_log_$name(u) * (x / g_pick_$name(d == 0, $Z + 1.0f, d));
          r = g_pick_$name(x > 0x1.fffffep127f, x, r);
          return g_pick_$name(d == 0, x, r);
        }
        """),
    "sigmoid": GenericTemplate(
      dtypes: [.f32], requires: ["exp"],
      text: "INLINE $F g_sigmoid_$name($F x) { return 1.0f / (1.0f + g_exp_$name(-x)); }"),
    "tanh": GenericTemplate(
      dtypes: [.f32], requires: ["exp", "absolute"],
      text: """
        INLINE $F g_tanh_$name($F x) {
          $F a = g_absolute_$name(x), z = x * x;
          $F p = z * -5.70498872745e-3f + 2.06390887954e-2f;
          p = p * z - 5.37397155531e-2f;
          p = p * z + 1.33314422036e-1f;
          p = p * z - 3.33332819422e-1f;
          /* the zero that is added keeps the sign of a zero */
          p = x + x * (p * z + 0.0f);
          $F t = 1.0f - 2.0f / (g_exp_$name(a + a) + 1.0f);
          return g_pick_$name(a < 0.625f, p, g_pick_$name(x < 0, -t, t));
        }
        """),
    "erf": GenericTemplate(
      dtypes: [.f32], requires: ["exp", "absolute"],
      text: """
        INLINE $F g_erf_$name($F x) {
          $F a = g_absolute_$name(x), z = x * x;
          $F p = z * 7.853861353153693e-5f - 8.010193625184903e-4f;
          p = p * z + 5.188327685732524e-3f;
          p = p * z - 2.685381193529856e-2f;
          p = p * z + 1.128358514861418e-1f;
          p = p * z - 3.761262582423300e-1f;
          p = p * z + 1.128379165726710e+0f;
          $F t = 1.0f / (1.0f + 0.3275911f * a);
          $F q = t * 1.061405429f - 1.453152027f;
          q = q * t + 1.421413741f;
          q = q * t - 0.284496736f;
          q = q * t + 0.254829592f;
          q = 1.0f - q * t * g_exp_$name(-z);
          return g_pick_$name(a < 1.0f, x * p, g_pick_$name(x < 0, -q, q));
        }
        """),
  ]

  /// `larger` and `smaller` give their second argument where one is NaN, so NaN gets lost only from the first two.
  private static func ofThree(_ name: String, by choice: String) -> String {
    """
    INLINE $F g_\(name)_of_three_$name($F x, $F y, $F z) {
      $F r = g_\(choice)_$name(g_\(choice)_$name(x, y), z);
      return g_pick_$name((x != x) | (y != y), $Z + __builtin_nan$c(""), r);
    }
    """
  }
}
