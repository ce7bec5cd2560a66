import KernelSpec

extension LoweringTable {
  /// Functions of one element, in the type of the result.
  static let unary: [String: Rule] = {
    let operators: [(String, UnaryOperator)] = [
      ("exp", .exp), ("expm1", .expm1), ("log", .log), ("log1p", .log1p), ("log2", .log2),
      ("log10", .log10), ("sqrt", .sqrt), ("rsqrt", .rsqrt), ("reciprocal", .reciprocal),
      ("sin", .sin), ("cos", .cos), ("tan", .tan), ("asin", .asin), ("acos", .acos),
      ("atan", .atan), ("sinh", .sinh), ("cosh", .cosh), ("tanh", .tanh), ("asinh", .asinh),
      ("acosh", .acosh), ("atanh", .atanh), ("sigmoid", .sigmoid), ("erf", .erf),
      ("neg", .negate), ("abs", .absolute), ("round", .round), ("floor", .floor),
      ("ceil", .ceil), ("trunc", .truncate), ("sign", .sign), ("bitwise_not", .bitwiseNot),
    ]
    var rules: [String: Rule] = [:]
    for (name, operation) in operators {
      rules["aten.\(name).default"] = elementwise { .unaryOfAnyType(operation, $0) }
    }
    rules["aten.logical_not.default"] = predicate { .unary(.logicalNot, $0.cast(to: .bool)) }
    rules["aten.isnan.default"] = predicate {
      $0.dtype.isFloatingPoint ? .unary(.isNaN, $0) : .integer(0, .bool)
    }
    rules["aten.isinf.default"] = predicate {
      $0.dtype.isFloatingPoint ? .unary(.isInfinite, $0) : .integer(0, .bool)
    }
    return rules
  }()

  /// A function of the elements of `self`, converted to the compute type of the result.
  static func elementwise(_ function: @escaping @Sendable (Expression) -> Expression) -> Rule {
    { lowering, operation in
      try lowering.elementwise(operation) { function($0) }
    }
  }

  /// A function of the elements of `self` in their own compute type.
  static func predicate(_ function: @escaping @Sendable (Expression) -> Expression) -> Rule {
    { lowering, operation in
      let input = try lowering.tensor("self", of: operation)
      return [
        lowering.map(operation.result) { axes in
          function(lowering.compute(input, axes.positions))
        }
      ]
    }
  }
}

extension Lowering {
  /// A function of the elements of `self`, converted to the compute type of the result.
  func elementwise(
    _ operation: Operation, _ function: (Expression) throws -> Expression
  ) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let type = operation.result.dtype.computeType
    return [
      try map(operation.result) { axes in
        try function(load(input, axes.positions).cast(to: type))
      }
    ]
  }
}

extension Expression {
  /// The operator for any type: what is the identity on integers is left out, and `bool` gets its own.
  static func unaryOfAnyType(_ operation: UnaryOperator, _ operand: Expression) -> Expression {
    if operand.dtype.isFloatingPoint { return .unary(operation, operand) }
    switch operation {
    case .round, .floor, .ceil, .truncate: return operand
    case .bitwiseNot where operand.dtype == .bool: return .unary(.logicalNot, operand)
    case .sign where operand.dtype == .bool, .absolute where operand.dtype == .bool:
      return operand
    default: return .unary(operation, operand)
    }
  }
}
