import KernelSpec

/// How far each element of a floating-point output may be from what was expected.
struct ElementTolerances {
  /// The magnitude from which on a value may overflow by rounding.
  let limit: Double
  /// The least that may stand for a value at the limit.
  let lowestAtLimit: Double
  /// Values below it are far from overflow.
  let moderate: Double
  private let errors: [Float]
  private let relative: Double
  private let absolute: Double
  private let absoluteWhereUnknown: Double

  /// By how much wider the tolerance is where nothing is known of an element's rounding: where the bound overflows,
  /// or the reference gives none.
  private static let widening = 10.0

  init(_ errors: [Float], of expected: [Double], _ dtype: DType, _ numerics: NumericPolicy) {
    let (rtol, atol) = numerics.tolerances(for: dtype)
    let scale = Self.rootMeanSquare(expected)
    self.errors = errors
    relative = rtol
    absolute = atol * scale + dtype.smallestKept
    absoluteWhereUnknown = Self.widening * atol * max(1, scale) + dtype.smallestKept
    let edge = Self.widening * rtol
    limit = dtype.largestFinite * (1 - edge)
    lowestAtLimit = dtype.largestFinite * (1 - 2 * edge)
    moderate = dtype.largestFinite.squareRoot()
  }

  func tolerance(at index: Int, of expected: Double) -> Double {
    guard index < errors.count, errors[index].isFinite else {
      return Self.widening * relative * expected.magnitude + absoluteWhereUnknown
    }
    return Double(errors[index]) + relative * expected.magnitude + absolute
  }

  private static func rootMeanSquare(_ values: [Double]) -> Double {
    var sum = 0.0
    var count = 0.0
    for value in values where value.isFinite {
      sum += value * value
      count += 1
    }
    return count > 0 && sum.isFinite ? (sum / count).squareRoot() : 0
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
