import KernelSpec

/// Turns the expressions of one stage into closures over the values of its axes.
struct ExpressionCompiler {
  typealias Real = () -> Double
  typealias Integer = () -> Int64
  typealias Position = () -> Int

  let memory: EvaluationMemory
  /// The current value of each axis, by slot.
  let axes: UnsafeMutablePointer<Int>
  let slots: [Axis: Int]

  /// The value of a floating-point expression.
  func real(_ expression: Expression) -> Real {
    switch expression {
    case .real(let value, _): return { value }
    case .index(let index, _):
      let position = position(index)
      return { Double(position()) }
    case .load(let id, _, let indices):
      let elements = memory.reals[id.position]
      return load(id, indices, elements.count) {
        elements[$0]
      } otherwise: {
        .nan
      }
    case .unary(let operation, let operand): return unary(operation, real(operand))
    case .binary(let operation, let first, let second):
      return binary(operation, real(first), real(second))
    case .select(let condition, let first, let second):
      let (condition, first, second) = (integer(condition), real(first), real(second))
      return { condition() != 0 ? first() : second() }
    case .cast(let type, let operand): return cast(operand, to: type)
    case .integer, .inRange:
      let value = integer(expression)
      return { Double(value()) }
    }
  }

  private func cast(_ operand: Expression, to type: DType) -> Real {
    let value: Real
    if operand.dtype.isFloatingPoint {
      value = real(operand)
    } else {
      let integer = integer(operand)
      value = { Double(integer()) }
    }
    return type.rounds(from: operand.dtype) ? { type.rounded(value()) } : value
  }

  private func unary(_ operation: UnaryOperator, _ x: @escaping Real) -> Real {
    switch operation {
    case .negate: { -x() }
    default: { ScalarSemantics.unary(operation, x()) }
    }
  }

  private func binary(
    _ operation: BinaryOperator, _ x: @escaping Real, _ y: @escaping Real
  ) -> Real {
    switch operation {
    case .add: { x() + y() }
    case .subtract: { x() - y() }
    case .multiply: { x() * y() }
    case .divide: { x() / y() }
    default: { ScalarSemantics.binary(operation, x(), y()) }
    }
  }

  /// The value of an integer or boolean expression.
  func integer(_ expression: Expression) -> Integer {
    switch expression {
    case .integer(let value, _): return { value }
    case .real(let value, let type): return { ScalarSemantics.integer(value, as: type) }
    case .index(let index, let type):
      let position = position(index)
      return { type.wrapped(Int64(position())) }
    case .inRange(let index, let lower, let upper):
      let position = position(index)
      return {
        let value = position()
        return lower <= value && value < upper ? 1 : 0
      }
    case .load(let id, _, let indices):
      let elements = memory.integers[id.position]
      return load(id, indices, elements.count) {
        elements[$0]
      } otherwise: {
        0
      }
    case .unary(let operation, let operand): return integerUnary(operation, operand)
    case .binary(let operation, let first, let second):
      return integerBinary(operation, first, second)
    case .select(let condition, let first, let second):
      let (condition, first, second) = (integer(condition), integer(first), integer(second))
      return { condition() != 0 ? first() : second() }
    case .cast(let type, let operand):
      if operand.dtype.isFloatingPoint {
        let value = real(operand)
        return { ScalarSemantics.integer(value(), as: type) }
      }
      let value = integer(operand)
      return { type.wrapped(value()) }
    }
  }

  private func integerUnary(_ operation: UnaryOperator, _ operand: Expression) -> Integer {
    if operand.dtype.isFloatingPoint {
      let x = real(operand)
      return { Int64(ScalarSemantics.unary(operation, x())) }
    }
    let x = integer(operand)
    let type = operand.dtype
    return { type.wrapped(ScalarSemantics.unary(operation, x())) }
  }

  private func integerBinary(
    _ operation: BinaryOperator, _ first: Expression, _ second: Expression
  ) -> Integer {
    if first.dtype.isFloatingPoint {
      let (x, y) = (real(first), real(second))
      return { ScalarSemantics.compare(operation, x(), y()) ? 1 : 0 }
    }
    let (x, y) = (integer(first), integer(second))
    let type = first.dtype
    switch operation {
    // Short-circuits, so that a guard protects what is to its right.
    case .logicalAnd: return { x() != 0 && y() != 0 ? 1 : 0 }
    case .logicalOr: return { x() != 0 || y() != 0 ? 1 : 0 }
    default: return { type.wrapped(ScalarSemantics.binary(operation, x(), y())) }
    }
  }
}
