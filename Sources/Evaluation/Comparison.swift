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

/// What one output should be.
package struct ExpectedOutput: Sendable, Hashable {
  package var values: TensorElements
  /// How far from each value a right evaluation in the working type may come out; empty when that is not known.
  package var errors: [Float]

  package init(_ values: TensorElements, errors: [Float] = []) {
    self.values = values
    self.errors = errors
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
  /// The tolerance of an element is its own possible error, and `rtol · |expected| + atol · rms` with the root
  /// mean square of the finite expected values. NaN must meet NaN and an infinity the same infinity; where the
  /// exact value is beyond the dtype's range by rounding, either an infinity or a value near the limit will do.
  /// An integer may differ by its possible error, which is 0 where no rounding decides it.
  init(
    _ actual: TensorElements, _ expected: ExpectedOutput, dtype: DType, numerics: NumericPolicy,
    strictness: Strictness
  ) {
    switch (actual, expected.values) {
    case (.integers(let actual), .integers(let values)) where actual.count == values.count:
      compare(actual, values, expected.errors, strictness)
    case (.real(let actual), .real(let values)) where actual.count == values.count:
      let tolerances = ElementTolerances(expected.errors, of: values, dtype, numerics)
      compare(actual, values, tolerances, strictness)
    default:
      worst = .infinity
      mismatch = "the output has another kind or number of elements than the reference"
    }
  }

  private mutating func compare(
    _ actual: [Int64], _ expected: [Int64], _ errors: [Float], _ strictness: Strictness
  ) {
    guard strictness != .finiteness else { return }
    for index in actual.indices where actual[index] != expected[index] {
      let difference = (Double(actual[index]) - Double(expected[index])).magnitude
      if index < errors.count, errors[index].isFinite, difference <= Double(errors[index]) {
        continue
      }
      record(.infinity, index, "\(actual[index])", "\(expected[index])")
    }
  }

  private mutating func compare(
    _ actual: [Double], _ expected: [Double], _ tolerances: ElementTolerances,
    _ strictness: Strictness
  ) {
    if strictness == .finiteness {
      for index in actual.indices
      where !actual[index].isFinite && expected[index].magnitude < tolerances.moderate {
        record(.infinity, index, "\(actual[index])", "\(expected[index])")
      }
      return
    }
    for index in actual.indices {
      let (got, want) = (actual[index], expected[index])
      var ratio = 0.0
      if want.isNaN || got.isNaN {
        ratio = want.isNaN && got.isNaN ? 0 : .infinity
      } else if want.magnitude >= tolerances.limit {
        // The boundary of overflow: the neighbour on either side is as right.
        let agrees = got.sign == want.sign && got.magnitude >= tolerances.lowestAtLimit
        ratio = agrees && (want.isFinite || got.isInfinite) ? 0 : .infinity
      } else if got.isInfinite {
        ratio = .infinity
      } else if strictness == .values {
        let error = (got - want).magnitude
        ratio = error == 0 ? 0 : error / tolerances.tolerance(at: index, of: want)
      }
      if ratio > worst || ratio > 1 { record(ratio, index, "\(got)", "\(want)") }
    }
  }

  private mutating func record(_ ratio: Double, _ index: Int, _ got: String, _ want: String) {
    worst = max(worst, ratio)
    if ratio > 1, mismatch == nil { mismatch = "element \(index) is \(got), expected \(want)" }
  }
}
