package import KernelSpec

extension Expression {
  /// A number as a constant of type `type`, rounded or wrapped to it.
  package static func number(_ value: CheckedSpec.Scalar, _ type: DType) -> Expression {
    if type.isFloatingPoint { return .real(type.rounded(value.double), type) }
    switch value {
    case .integer(let integer): return .integer(type.wrapped(integer), type)
    case .boolean(let boolean): return .integer(boolean ? 1 : 0, type)
    case .real(let real): return .integer(ScalarSemantics.integer(real, as: type), type)
    }
  }

  /// A real number as a constant of type `type`.
  package static func number(_ value: Double, _ type: DType) -> Expression {
    .number(.real(value), type)
  }

  /// The conversion to `type`; nothing when the value has it already.
  package func cast(to type: DType) -> Expression {
    dtype == type ? self : .cast(type, self)
  }

  package static func + (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.add, first, second)
  }

  package static func - (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.subtract, first, second)
  }

  package static func * (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.multiply, first, second)
  }

  package static func / (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.divide, first, second)
  }

  package static prefix func - (_ operand: Expression) -> Expression { .unary(.negate, operand) }

  package static func < (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.less, first, second)
  }

  package static func > (_ first: Expression, _ second: Expression) -> Expression {
    .binary(.greater, first, second)
  }

  package static func maximum(_ first: Expression, _ second: Expression) -> Expression {
    .binary(.maximum, first, second)
  }

  package static func minimum(_ first: Expression, _ second: Expression) -> Expression {
    .binary(.minimum, first, second)
  }

  /// A conjunction of conditions; true when there is none.
  package static func all(_ conditions: [Expression]) -> Expression {
    guard let first = conditions.first else { return .integer(1, .bool) }
    return conditions.dropFirst().reduce(first) { .binary(.logicalAnd, $0, $1) }
  }

  /// The value where all conditions hold, and `otherwise` elsewhere.
  package func guarded(by conditions: [Expression], otherwise: Expression) -> Expression {
    conditions.isEmpty ? self : .select(.all(conditions), self, otherwise)
  }
}
