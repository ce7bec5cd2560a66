import CNumerics
import KernelSpec

extension granary_tolerances {
  /// By how much wider the tolerance is where nothing is known of an element's rounding: where the bound overflows,
  /// or the reference gives none.
  private static let widening = 10.0

  /// How far each element of a floating-point output may be from what was expected.
  ///
  /// - Parameter scale: the root mean square of the finite expected values.
  init(scale: Double, _ dtype: DType, _ numerics: NumericPolicy) {
    let (rtol, atol) = numerics.tolerances(for: dtype)
    let edge = Self.widening * rtol
    let limit = dtype.largestFinite
    self.init(
      relative: rtol, absolute: atol * scale + dtype.smallestKept,
      relative_where_unknown: Self.widening * rtol,
      absolute_where_unknown: Self.widening * atol * max(1, scale) + dtype.smallestKept,
      limit: limit * (1 - edge), lowest_at_limit: limit * (1 - 2 * edge),
      moderate: limit.squareRoot())
  }
}

extension DType {
  /// The distance between the smallest numbers that kernels keep: denormal ones may become zero in f32, bf16 and
  /// f64, and are numbers like others in f16.
  fileprivate var smallestKept: Double {
    switch self {
    case .f16: 0x1p-24
    case .f32, .bf16: 0x1p-126
    default: .leastNormalMagnitude
    }
  }
}
