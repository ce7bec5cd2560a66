import CNumerics
import KernelSpec

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

/// What of a result must agree with the reference.
enum Strictness: Sendable {
  /// Every value, within its tolerance.
  case values
  /// What is finite, NaN or infinite.
  case classes
  /// Where the reference is of a moderate size, the result must be finite.
  case finiteness

  fileprivate var inC: granary_strictness {
    switch self {
    case .values: GRANARY_VALUES
    case .classes: GRANARY_CLASSES
    case .finiteness: GRANARY_FINITENESS
    }
  }
}

/// What one output should be.
package struct ExpectedOutput: Sendable, Hashable {
  /// As `f64` or `i64`.
  package let values: TensorElements
  /// How far from each value a right evaluation in the working type may come out, as `f32`; `nil` when that is not
  /// known.
  package let errors: TensorElements?
  /// The sum and the number of the finite values' squares; nothing for integers.
  private let squares: (sum: Double, count: Int64)

  package init(_ values: TensorElements, errors: TensorElements? = nil) {
    self.values = values
    self.errors = errors.flatMap { $0.dtype == .f32 && $0.count == values.count ? $0 : nil }
    var sum = 0.0
    var count: Int64 = 0
    if values.dtype == .f64 {
      values.withUnsafeBytes {
        granary_square_sum($0.doubles, Int64(values.count), &sum, &count)
      }
    }
    squares = (sum, count)
  }

  /// The root mean square of the finite values; 0 when it is beyond all numbers.
  var scale: Double {
    squares.count > 0 && squares.sum.isFinite
      ? (squares.sum / Double(squares.count)).squareRoot() : 0
  }

  /// What the values say of a kernel whose results have type `dtype`.
  struct Certainty {
    /// Well within the range of the type, so that no sum leaves it on the way, whatever its order.
    var inRange = 0
    /// Of these, those that may be off by more than a sixteenth of their size and the root mean square: comparing them
    /// with a kernel's says little. What is close to zero beside all numbers of interest may be flushed to it.
    var uncertain = 0
    /// Within the range, but not well.
    var nearLimit = 0
  }

  func certainty(as dtype: DType) -> Certainty {
    guard values.dtype == .f64 else { return Certainty() }
    var (uncertain, nearLimit): (Int64, Int64) = (0, 0)
    let inRange = values.withUnsafeBytes { wanted in
      readErrors { errors in
        granary_count_in_range(
          wanted.doubles, errors, Int64(values.count), dtype.largestFinite / 64, 1.0 / 16,
          max(scale, 0x1p-100), &uncertain, &nearLimit)
      }
    }
    return Certainty(
      inRange: Int(inRange), uncertain: Int(uncertain), nearLimit: Int(nearLimit))
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.values == right.values && left.errors == right.errors
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(values)
    hasher.combine(errors)
  }
}

/// How far one output is from what was expected.
struct Comparison {
  /// What is compared.
  enum Actual {
    case elements(TensorElements)
    /// One number for every element; of an integer, the whole number.
    case all(Double)
  }

  /// The largest error over its tolerance; infinite when an element is beyond it.
  private(set) var worst = 0.0
  /// The first element that is beyond its tolerance.
  private(set) var mismatch: String?

  /// Compares elements up to the first that is wrong.
  ///
  /// The tolerance of an element is its own possible error, and `rtol · |expected| + atol · rms` with the root
  /// mean square of the finite expected values. NaN must meet NaN and an infinity the same infinity; where the
  /// exact value is beyond the dtype's range by rounding, either an infinity or a value near the limit will do.
  /// An integer may differ by its possible error, which is 0 where no rounding decides it.
  init(
    _ actual: Actual, _ expected: ExpectedOutput, dtype: DType, numerics: NumericPolicy,
    strictness: Strictness
  ) {
    let values = expected.values
    let isReal = dtype.isFloatingPoint
    guard values.dtype == (isReal ? .f64 : .i64), actual.has(values.count, isReal: isReal) else {
      worst = .infinity
      mismatch = "the output has another kind or number of elements than the reference"
      return
    }
    guard isReal || strictness != .finiteness else { return }
    let first = actual.read { got in
      values.withUnsafeBytes { wanted in
        expected.readErrors { errors in
          guard isReal else {
            return granary_compare_integers(got, wanted.integers, errors, 0, Int64(values.count))
          }
          var tolerances = granary_tolerances(scale: expected.scale, dtype, numerics)
          return granary_compare_reals(
            got, wanted.doubles, errors, 0, Int64(values.count), &tolerances, strictness.inC,
            &worst)
        }
      }
    }
    guard first >= 0 else { return }
    worst = .infinity
    mismatch =
      "element \(first) is \(actual.text(at: Int(first))), expected \(values.text(at: Int(first)))"
  }
}

extension Comparison.Actual {
  fileprivate func has(_ count: Int, isReal: Bool) -> Bool {
    guard case .elements(let elements) = self else { return true }
    return elements.count == count && elements.dtype.isFloatingPoint == isReal
  }

  fileprivate func read<Value>(_ body: (granary_actual) -> Value) -> Value {
    switch self {
    case .all(let value):
      let whole = value.magnitude < 0x1p62 ? Int64(value) : 0
      return body(granary_actual(type: GRANARY_F64, elements: nil, value: value, whole: whole))
    case .elements(let elements):
      return elements.withUnsafeBytes { raw in
        body(
          granary_actual(
            type: elements.dtype.stored, elements: raw.baseAddress, value: 0, whole: 0))
      }
    }
  }

  fileprivate func text(at index: Int) -> String {
    switch self {
    case .all(let value): "\(value)"
    case .elements(let elements): elements.text(at: index)
    }
  }
}

extension ExpectedOutput {
  fileprivate func readErrors<Value>(_ body: (UnsafePointer<Float>?) -> Value) -> Value {
    guard let errors else { return body(nil) }
    return errors.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: Float.self)) }
  }
}

extension UnsafeRawBufferPointer {
  fileprivate var doubles: UnsafePointer<Double>? {
    baseAddress?.assumingMemoryBound(to: Double.self)
  }

  fileprivate var integers: UnsafePointer<Int64>? {
    baseAddress?.assumingMemoryBound(to: Int64.self)
  }
}
