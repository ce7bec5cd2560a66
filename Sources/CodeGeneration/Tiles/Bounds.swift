import KernelSpec
package import TensorProgram

/// What values indices and guards can take, given the extents of axes and the domains of inputs.
package struct Bounds: Sendable {
  private let program: TensorProgram
  /// Ranges narrower than an axis' extent.
  package var ranges: [Axis: ClosedRange<Int>] = [:]

  package init(_ program: TensorProgram) { self.program = program }

  /// The least and greatest value of `index`, or `nil` when nothing is known or an axis is empty.
  package func bounds(of index: Index) -> ClosedRange<Int>? {
    switch index {
    case .constant(let value): return value...value
    case .axis(let axis): return bounds(of: axis)
    case .sum(let first, let second):
      guard let first = bounds(of: first), let second = bounds(of: second) else { return nil }
      return first.lowerBound + second.lowerBound...first.upperBound + second.upperBound
    case .product(let inner, let factor):
      guard let inner = bounds(of: inner) else { return nil }
      let ends = [inner.lowerBound * factor, inner.upperBound * factor].sorted()
      return ends[0]...ends[1]
    case .quotient(let inner, let divisor):
      guard let inner = bounds(of: inner) else { return nil }
      return floorDivide(inner.lowerBound, divisor)...floorDivide(inner.upperBound, divisor)
    case .remainder(let inner, let divisor):
      guard let inner = bounds(of: inner), inner.lowerBound >= 0, inner.upperBound < divisor
      else { return 0...divisor - 1 }
      return inner
    case .value(let expression): return bounds(ofValue: expression)
    }
  }

  private func bounds(of axis: Axis) -> ClosedRange<Int>? {
    ranges[axis] ?? (axis.extent > 0 ? 0...axis.extent - 1 : nil)
  }

  private func bounds(ofValue expression: Expression) -> ClosedRange<Int>? {
    switch expression {
    case .integer(let value, _): return Int(value)...Int(value)
    case .index(let index, _): return bounds(of: index)
    case .cast(let type, let inner) where type == .i64: return bounds(ofValue: inner)
    case .load(let buffer, _, _):
      guard let input = program.inputs.firstIndex(of: buffer),
        program.inputDomains.indices.contains(input),
        case .index(let bound) = program.inputDomains[input], bound > 0
      else { return nil }
      return 0...bound - 1
    case .binary(
      .minimum, .binary(.maximum, _, .integer(let low, .i64)), .integer(let high, .i64))
    where low <= high:
      return Int(low)...Int(high)
    default: return nil
    }
  }

  /// Whether `index` is always, or never, in the range; `nil` when that varies.
  package func decide(_ index: Index, lower: Int, upper: Int) -> Bool? {
    guard let bounds = bounds(of: AffineIndex(index).index) else { return nil }
    if bounds.lowerBound >= lower && bounds.upperBound < upper { return true }
    return bounds.upperBound < lower || bounds.lowerBound >= upper ? false : nil
  }

  /// Whether evaluating `expression`, whose loads are flattened, touches no memory outside its buffers
  /// whatever guards say, and has no other effect.
  package func isSafeToSpeculate(_ expression: Expression, elementCounts: (BufferID) -> Int) -> Bool
  {
    var isSafe = true
    expression.visit { part in
      if case .load(let buffer, _, let indices) = part {
        let inside =
          indices.count == 1
          && decide(indices[0], lower: 0, upper: elementCounts(buffer)) == true
        isSafe = isSafe && inside
      }
    }
    return isSafe
  }
}

/// The quotient rounded down; `divisor` is positive.
func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  dividend >= 0 ? dividend / divisor : -((-dividend + divisor - 1) / divisor)
}
