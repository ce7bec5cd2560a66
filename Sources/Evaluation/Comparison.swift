import KernelSpec

/// What of a result must agree with the reference.
enum Strictness: Sendable {
  /// Every value, within its tolerance.
  case values
  /// What is finite, NaN or infinite.
  case classes
  /// Where the reference is of a moderate size, the result must be finite.
  case finiteness
}

extension InputDistribution {
  /// How strictly results on these inputs are compared.
  ///
  /// With NaN and infinities among the inputs, rounding decides values, but not classes. On equal inputs a
  /// variance is 0 in the reference and the square of a rounding error in a right kernel, so that a norm is all
  /// rounding and 0/0 may be finite; but a variance that comes out negative gives NaN where none belongs.
  var strictness: Strictness {
    switch self {
    case .special: .classes
    case .constant: .finiteness
    default: .values
    }
  }
}

/// How far one output is from what was expected.
struct Comparison {
  /// The largest error over its tolerance; infinite for a wrong class or a wrong integer.
  private(set) var worst = 0.0
  /// The first element that is beyond its tolerance.
  private(set) var mismatch: String?

  /// Compares all elements.
  ///
  /// The tolerance of an element is `rtol · |expected| + atol · max(1, rms)`, with the root mean
  /// square of the finite expected values. NaN must meet NaN and an infinity the same infinity;
  /// where the exact value is beyond the dtype's range by rounding, either an infinity or a value
  /// near the limit will do.
  init(
    _ actual: TensorElements, _ expected: TensorElements, dtype: DType, numerics: NumericPolicy,
    strictness: Strictness
  ) {
    switch (actual, expected) {
    case (.integers(let actual), .integers(let expected)) where actual.count == expected.count:
      for index in actual.indices
      where actual[index] != expected[index] && strictness != .finiteness {
        record(.infinity, index, "\(actual[index])", "\(expected[index])")
      }
    case (.real(let actual), .real(let expected)) where actual.count == expected.count:
      compare(actual, expected, dtype, numerics, strictness)
    default:
      worst = .infinity
      mismatch = "the output has another kind or number of elements than the reference"
    }
  }

  private mutating func compare(
    _ actual: [Double], _ expected: [Double], _ dtype: DType, _ numerics: NumericPolicy,
    _ strictness: Strictness
  ) {
    if strictness == .finiteness {
      for index in actual.indices
      where !actual[index].isFinite && expected[index].magnitude < Self.moderate(dtype) {
        record(.infinity, index, "\(actual[index])", "\(expected[index])")
      }
      return
    }
    let (rtol, atol) = numerics.tolerances(for: dtype)
    let absolute = atol * max(1, Self.rootMeanSquare(expected))
    let limit = dtype.largestFinite
    for index in actual.indices {
      let (got, want) = (actual[index], expected[index])
      var ratio = 0.0
      if want.isNaN || got.isNaN {
        ratio = want.isNaN && got.isNaN ? 0 : .infinity
      } else if want.magnitude >= limit * (1 - rtol) {
        // The boundary of overflow: the neighbour on either side is as right.
        let agrees = got.sign == want.sign && got.magnitude >= limit * (1 - 2 * rtol)
        ratio = agrees && (want.isFinite || got.isInfinite) ? 0 : .infinity
      } else if got.isInfinite {
        ratio = .infinity
      } else if strictness == .values {
        let error = (got - want).magnitude
        ratio = error == 0 ? 0 : error / (rtol * want.magnitude + absolute)
      }
      if ratio > worst || ratio > 1 { record(ratio, index, "\(got)", "\(want)") }
    }
  }

  private mutating func record(_ ratio: Double, _ index: Int, _ got: String, _ want: String) {
    worst = max(worst, ratio)
    if ratio > 1, mismatch == nil { mismatch = "element \(index) is \(got), expected \(want)" }
  }

  /// The square root of the largest value: far from overflow.
  private static func moderate(_ dtype: DType) -> Double { dtype.largestFinite.squareRoot() }

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
