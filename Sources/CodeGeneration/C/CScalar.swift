import KernelSpec
import TensorProgram

/// Scalar expressions: text without statements, so that C's own `?:` keeps unselected branches unevaluated.
extension CWriter {
  mutating func scalar(_ expression: Expression) -> String {
    switch expression.wideningHalves {
    case .real(let value, let type):
      type.isHalf
        ? scalarCast(dialect.real(value, .f32), from: .f32, to: type) : dialect.real(value, type)
    case .integer(let value, let type): dialect.integer(value, type)
    case .index(let index, let type): scalarCast("(\(text(index)))", from: .i64, to: type)
    case .load(let buffer, let type, let indices): scalarLoad(buffer, type, indices)
    case .unary(let operation, let operand):
      unary(operation, scalar(operand), operand.dtype)
    case .binary(let operation, let first, let second):
      binary(operation, scalar(first), scalar(second), first.dtype)
    case .select(let condition, let first, let second):
      "(\(scalar(condition)) ? \(scalar(first)) : \(scalar(second)))"
    case .inRange(let index, let lower, let upper): guardText(text(index), lower, upper)
    case .cast(let type, let operand): scalarCast(scalar(operand), from: operand.dtype, to: type)
    }
  }

  private func guardText(_ index: String, _ lower: Int, _ upper: Int) -> String {
    "((\(index)) >= \(lower) && (\(index)) < \(upper))"
  }

  /// The value of an index as 64-bit arithmetic.
  mutating func text(_ index: Index) -> String {
    let affine = AffineIndex(index)
    var parts: [String] = []
    for term in affine.terms {
      let atom = text(atom: term.atom)
      parts.append(term.coefficient == 1 ? atom : "\(atom) * \(term.coefficient)")
    }
    if affine.constant != 0 || parts.isEmpty { parts.append("\(affine.constant)") }
    return parts.joined(separator: " + ")
  }

  private mutating func text(atom: Index) -> String {
    switch atom {
    case .axis(let axis): name(of: axis)
    case .quotient(let inner, let divisor):
      isNonNegative(inner)
        ? "(\(text(inner))) / \(divisor)".inParentheses
        : call("floorDivide", .i64, text(inner), "\(divisor)")
    case .remainder(let inner, let divisor):
      isNonNegative(inner)
        ? "(\(text(inner))) % \(divisor)".inParentheses
        : call("remainder", .i64, text(inner), "\(divisor)")
    case .value(let expression):
      scalarCast(scalar(expression), from: expression.dtype, to: .i64)
    case .constant, .sum, .product: text(atom).inParentheses
    }
  }

  private func isNonNegative(_ index: Index) -> Bool {
    (bounds.bounds(of: index)?.lowerBound ?? -1) >= 0
  }

  private mutating func scalarLoad(_ buffer: BufferID, _ type: DType, _ indices: [Index]) -> String
  {
    if dialect == .openCL { return deviceLoad(buffer, type, indices[0]) }
    let element = "\(name(of: buffer))[\(address(buffer, indices[0]))]"
    return type == .bool ? "(\(element) != 0)" : element
  }

  /// Where an element is, counted from the start of its buffer or scratch tile.
  mutating func address(_ buffer: BufferID, _ index: Index) -> String {
    guard scratch[buffer]?.isPerLane == true, let lanes else {
      guard let tile = scratch[buffer], let slot = rows?.slot else { return text(index) }
      return "\(text(index)) + \(slot) * \(tile.paddedElementCount)"
    }
    let start = lanes.copy * lanes.width
    let lane = lanes.single.map { " + \($0)" } ?? ""
    return "(\(text(index))) * \(lanes.span) + \(start)\(lane)"
  }

  mutating func scalarCast(_ value: String, from: DType, to: DType) -> String {
    if from == to { return value }
    if from.isHalf { return scalarCast(call("widen", from, value), from: .f32, to: to) }
    if to.isHalf { return call("narrow", to, scalarCast(value, from: from, to: .f32)) }
    if to == .bool { return "(\(value) != 0)" }
    let type = dialect.scalarType(to)
    // A conversion that does not fit is undefined in C; through 64 bits it wraps, as on x86 in PyTorch.
    let wide = from.isFloatingPoint && to.isInteger && to != .i64
    return wide ? "((\(type))(\(dialect.memoryType(.i64)))\(value))" : "((\(type))\(value))"
  }

  mutating func unary(_ operation: UnaryOperator, _ operand: String, _ type: DType) -> String {
    switch operation {
    case .negate: dialect.negation(operand, type) ?? narrowed("-\(operand)", type)
    case .logicalNot: "(!\(operand))"
    case .bitwiseNot: type == .bool ? "(!\(operand))" : narrowed("~\(operand)", type)
    case .isNaN where type.isFloatingPoint: "(\(operand) != \(operand))"
    case .isNaN, .isInfinite: type.isFloatingPoint ? call("isInfinite", type, operand) : "0"
    case .round, .floor, .ceil, .truncate:
      type.isFloatingPoint ? call(operation.rawValue, type, operand) : operand
    default: call(operation.rawValue, type, operand)
    }
  }

  mutating func binary(
    _ operation: BinaryOperator, _ first: String, _ second: String, _ type: DType
  ) -> String {
    if let symbol = operation.comparison ?? operation.logical {
      return "(\(first) \(symbol) \(second))"
    }
    if let symbol = operation.arithmetic {
      return dialect.wrapping(operation, first, second, type)
        ?? narrowed("\(first) \(symbol) \(second)", type)
    }
    if operation == .divide && type.isFloatingPoint { return "(\(first) / \(second))" }
    return call(operation.rawValue, type, first, second)
  }

  /// The result of C arithmetic, cut back to a type that C promoted.
  private func narrowed(_ text: String, _ type: DType) -> String {
    switch type {
    case .i8, .u8, .i16: "((\(dialect.scalarType(type)))(\(text)))"
    default: "(\(text))"
    }
  }
}

extension String {
  var inParentheses: String { "(\(self))" }
}

extension DType {
  /// Whether the type is one of the 16-bit floating-point types, which are computed with as `f32`.
  var isHalf: Bool { self == .f16 || self == .bf16 }
}

extension BinaryOperator {
  var comparison: String? {
    switch self {
    case .equal: "=="
    case .notEqual: "!="
    case .less: "<"
    case .lessOrEqual: "<="
    case .greater: ">"
    case .greaterOrEqual: ">="
    default: nil
    }
  }

  /// The operator on `bool`, which is 0 or 1; both sides are evaluated.
  var logical: String? {
    switch self {
    case .logicalAnd: "&&"
    case .logicalOr: "||"
    case .logicalXor: "^"
    default: nil
    }
  }

  var arithmetic: String? {
    switch self {
    case .add: "+"
    case .subtract: "-"
    case .multiply: "*"
    case .bitwiseAnd: "&"
    case .bitwiseOr: "|"
    case .bitwiseXor: "^"
    default: nil
    }
  }
}

extension Expression {
  /// The expression with its operator, if on 16-bit floating-point operands, made one on `f32`.
  var wideningHalves: Expression {
    switch self {
    case .unary(let operation, let operand) where operand.dtype.isHalf:
      let wide = Expression.unary(operation, .cast(.f32, operand))
      return operation.isPredicate ? wide : .cast(operand.dtype, wide)
    case .binary(let operation, let first, let second) where first.dtype.isHalf:
      let wide = Expression.binary(operation, .cast(.f32, first), .cast(.f32, second))
      return operation.isPredicate ? wide : .cast(first.dtype, wide)
    default: return self
    }
  }
}
