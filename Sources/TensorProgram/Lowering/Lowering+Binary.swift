import KernelSpec

extension LoweringTable {
  /// Functions of two elements, in the type of the result.
  static let binary: [String: Rule] = {
    var rules: [String: Rule] = [:]
    rules["aten.add.Tensor"] = scaledSum(.add)
    rules["aten.sub.Tensor"] = scaledSum(.subtract)
    rules["aten.mul.Tensor"] = { try $0.multiply($1) }
    rules["aten.div.Tensor"] = { try $0.divide($1) }
    rules["aten.div.Tensor_mode"] = { try $0.divide($1) }
    rules["aten.fmod.Tensor"] = combining(.fmod)
    rules["aten.remainder.Tensor"] = combining(.remainder)
    rules["aten.bitwise_and.Tensor"] = combining(.bitwiseAnd)
    rules["aten.bitwise_or.Tensor"] = combining(.bitwiseOr)
    rules["aten.bitwise_xor.Tensor"] = combining(.bitwiseXor)
    rules["aten.maximum.default"] = combining(.maximum)
    rules["aten.minimum.default"] = combining(.minimum)
    rules["aten.atan2.default"] = combining(.atan2)
    rules["aten.pow.Tensor_Tensor"] = combining(.power, with: "exponent")
    rules["aten.pow.Scalar"] = combining(.power, with: "exponent")
    rules["aten.pow.Tensor_Scalar"] = { try $0.powerOfNumber($1) }
    return rules
  }()

  /// Comparisons and logic: the operands meet in their common type.
  static let comparisons: [String: Rule] = {
    var rules: [String: Rule] = [:]
    let operators: [(String, BinaryOperator)] = [
      ("eq", .equal), ("ne", .notEqual), ("lt", .less), ("le", .lessOrEqual), ("gt", .greater),
      ("ge", .greaterOrEqual),
    ]
    for (name, comparison) in operators {
      rules["aten.\(name).Tensor"] = { try $0.compare($1, comparison) }
    }
    let connectives: [(String, BinaryOperator)] = [
      ("logical_and", .logicalAnd), ("logical_or", .logicalOr), ("logical_xor", .logicalXor),
    ]
    for (name, connective) in connectives {
      rules["aten.\(name).default"] = { lowering, operation in
        try lowering.combine(operation, in: .bool) { .binary(connective, $0, $1) }
      }
    }
    return rules
  }()

  static let selections: [String: Rule] = [
    "aten.where.self": { lowering, operation in
      let condition = try lowering.operand("condition", of: operation)
      return try lowering.combine(operation) { axes, first, second in
        .select(lowering.element(condition, at: axes, as: .bool), first, second)
      }
    }
  ]

  fileprivate static func combining(_ operation: BinaryOperator, with second: String = "other")
    -> Rule
  {
    { lowering, node in
      try lowering.combine(node, with: second, in: node.result.dtype) {
        .binaryOfAnyType(operation, $0, $1)
      }
    }
  }

  /// `self ± alpha · other`
  fileprivate static func scaledSum(_ operation: BinaryOperator) -> Rule {
    { lowering, node in
      let alpha = node.optionalScalar("alpha") ?? .integer(1)
      let factor = lowering.constant(alpha, node.result.dtype)
      return try lowering.combine(node, in: node.result.dtype) { first, second in
        let scaled =
          alpha.double == 1 ? second : .binaryOfAnyType(.multiply, second, factor)
        return .binaryOfAnyType(operation, first, scaled)
      }
    }
  }
}

extension Lowering {
  /// A function of the elements of `self` and a second operand, both promoted to `type`.
  func combine(
    _ operation: Operation, with second: String = "other", in type: DType,
    _ function: (Expression, Expression) throws -> Expression
  ) throws -> [BufferID] {
    let first = try operand("self", of: operation)
    let second = try operand(second, of: operation)
    return [
      try map(operation.result) { axes in
        try function(promoted(first, at: axes, to: type), promoted(second, at: axes, to: type))
      }
    ]
  }

  /// A function of a position and of the elements there, in the type of the result as it is stored.
  fileprivate func combine(
    _ operation: Operation, _ function: ([Axis], Expression, Expression) -> Expression
  ) throws -> [BufferID] {
    let first = try operand("self", of: operation)
    let second = try operand("other", of: operation)
    let type = operation.result.dtype
    return [
      map(operation.result) { axes in
        function(axes, element(first, at: axes, as: type), element(second, at: axes, as: type))
      }
    ]
  }

  fileprivate func compare(
    _ operation: Operation, _ comparison: BinaryOperator
  ) throws -> [BufferID] {
    let operands = [
      try operand("self", of: operation), try operand("other", of: operation),
    ]
    let common = commonType(operands)
    return [
      map(operation.result) { axes in
        // A number takes part as the tensors' type holds it, so 0.1 equals a bf16 0.1.
        let elements = operands.map { promoted($0, at: axes, to: common) }
        return .binary(comparison, elements[0], elements[1])
      }
    ]
  }

  fileprivate func multiply(_ operation: Operation) throws -> [BufferID] {
    let type = operation.result.dtype
    let factors = [try operand("self", of: operation), try operand("other", of: operation)]
    return [
      map(operation.result) { axes in
        let elements = factors.map { factor(of: type, $0, at: axes) }
        return .binaryOfAnyType(.multiply, elements[0], elements[1])
      }
    ]
  }

  /// The element of a factor or divisor. PyTorch rounds numbers and tensors without dimensions to a 16-bit
  /// type before it uses them, but for these.
  private func factor(of type: DType, _ operand: Operand, at axes: [Axis]) -> Expression {
    if case .tensor(let id) = operand, !shape(of: id).isEmpty {
      return promoted(operand, at: axes, to: type)
    }
    return element(operand, at: axes, as: type.computeType)
  }

  fileprivate func divide(_ operation: Operation) throws -> [BufferID] {
    let mode = operation.string("rounding_mode")
    guard [nil, "floor", "trunc"].contains(mode) else {
      throw operation.error("rounding_mode must be floor, trunc or none")
    }
    let dividend = try operand("self", of: operation)
    let divisor = try operand("other", of: operation)
    let type = operation.result.dtype
    return [
      map(operation.result) { axes in
        let first = promoted(dividend, at: axes, to: type)
        let second = factor(of: type, divisor, at: axes)
        if mode == "floor" { return .binary(.floorDivide, first, second) }
        let quotient = Expression.binaryOfAnyType(.divide, first, second)
        return mode == "trunc" && first.dtype.isFloatingPoint
          ? .unary(.truncate, quotient) : quotient
      }
    ]
  }

  /// A power with a constant exponent; small ones in the forms that PyTorch uses.
  fileprivate func powerOfNumber(_ operation: Operation) throws -> [BufferID] {
    let exponent = try operation.scalar("exponent")
    return try elementwise(operation) { x in
      let one = Expression.number(.integer(1), x.dtype)
      switch (exponent.double, x.dtype.isFloatingPoint) {
      case (0, _): return one
      case (1, _): return x
      case (2, _): return .binaryOfAnyType(.multiply, x, x)
      case (3, _): return .binaryOfAnyType(.multiply, .binaryOfAnyType(.multiply, x, x), x)
      case (0.5, true): return .unary(.sqrt, x)
      case (-0.5, true): return .unary(.rsqrt, x)
      case (-1, true): return .unary(.reciprocal, x)
      case (-2, true): return .unary(.reciprocal, x * x)
      default: return .binary(.power, x, constant(exponent, operation.result.dtype))
      }
    }
  }
}

extension Expression {
  /// The operator for any type: arithmetic on `bool` is logic, as in PyTorch.
  static func binaryOfAnyType(
    _ operation: BinaryOperator, _ first: Expression, _ second: Expression
  ) -> Expression {
    guard first.dtype == .bool else { return .binary(operation, first, second) }
    return switch operation {
    case .add, .maximum, .bitwiseOr: .binary(.logicalOr, first, second)
    case .multiply, .minimum, .bitwiseAnd: .binary(.logicalAnd, first, second)
    case .bitwiseXor: .binary(.logicalXor, first, second)
    default: .binary(operation, first, second)
    }
  }
}
