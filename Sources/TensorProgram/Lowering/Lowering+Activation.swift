import KernelSpec

extension LoweringTable {
  /// Activation functions, in the forms that PyTorch computes.
  static let activations: [String: Rule] = [
    "aten.relu.default": elementwise { .maximum(.number(0, $0.dtype), $0) },
    "aten.silu.default": elementwise { $0 * .unary(.sigmoid, $0) },
    "aten.mish.default": elementwise {
      $0 * .unary(.tanh, .unary(.log1p, .unary(.exp, $0)))
    },
    "aten.hardsigmoid.default": elementwise { $0.sixth },
    "aten.hardswish.default": elementwise { $0 * $0.sixth },
    "aten.leaky_relu.default": { try $0.leakyRelu($1) },
    "aten.elu.default": { try $0.elu($1) },
    "aten.softplus.default": { try $0.softplus($1) },
    "aten.gelu.default": { try $0.gelu($1) },
    "aten.hardtanh.default": { try $0.clamp($1, low: "min_val", high: "max_val") },
    "aten.clamp.default": { try $0.clamp($1, low: "min", high: "max") },
    "aten.clamp.Tensor": { try $0.clamp($1, low: "min", high: "max") },
  ]
}

extension Expression {
  /// `min(max(x + 3, 0), 6) / 6`
  fileprivate var sixth: Expression {
    let shifted = self + .number(3, dtype)
    return .minimum(.maximum(shifted, .number(0, dtype)), .number(6, dtype)) / .number(6, dtype)
  }
}

extension Lowering {
  fileprivate func leakyRelu(_ operation: Operation) throws -> [BufferID] {
    let slope = operation.real("negative_slope", default: 0.01)
    return try elementwise(operation) {
      .select($0 > .number(0, $0.dtype), $0, $0 * .number(slope, $0.dtype))
    }
  }

  fileprivate func elu(_ operation: Operation) throws -> [BufferID] {
    let scale = operation.real("scale", default: 1)
    let negative = operation.real("alpha", default: 1) * scale
    let inner = operation.real("input_scale", default: 1)
    return try elementwise(operation) { x in
      let exponent = inner == 1 ? x : x * .number(inner, x.dtype)
      return .select(
        x < .number(0, x.dtype), .unary(.expm1, exponent).scaled(by: negative),
        x.scaled(by: scale))
    }
  }

  fileprivate func softplus(_ operation: Operation) throws -> [BufferID] {
    let beta = operation.real("beta", default: 1)
    let threshold = operation.real("threshold", default: 20)
    return try elementwise(operation) { x in
      let scaled = x.scaled(by: beta)
      let soft = Expression.unary(.log1p, .unary(.exp, scaled))
      return .select(
        scaled > .number(threshold, x.dtype), x,
        beta == 1 ? soft : soft / .number(beta, x.dtype))
    }
  }

  fileprivate func gelu(_ operation: Operation) throws -> [BufferID] {
    switch operation.string("approximate") ?? "none" {
    case "none":
      return try elementwise(operation) { x in
        let error = Expression.unary(.erf, x * .number(0.5.squareRoot(), x.dtype))
        return x * .number(0.5, x.dtype) * (error + .number(1, x.dtype))
      }
    case "tanh":
      return try elementwise(operation) { x in
        let cubic = x + .number(0.044715, x.dtype) * (x * x * x)
        let inner = .number((2 / Double.pi).squareRoot(), x.dtype) * cubic
        return x * .number(0.5, x.dtype) * (.unary(.tanh, inner) + .number(1, x.dtype))
      }
    default:
      throw operation.error("approximate must be none or tanh")
    }
  }

  fileprivate func clamp(
    _ operation: Operation, low: String, high: String
  ) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let lower = optionalOperand(low, of: operation)
    let upper = optionalOperand(high, of: operation)
    let type = operation.result.dtype.computeType
    return [
      map(operation.result) { axes in
        var value = element(.tensor(input), at: axes, as: type)
        // Of equal zeros the second is the result, and PyTorch keeps the sign of the value.
        if let lower { value = .maximum(element(lower, at: axes, as: type), value) }
        if let upper { value = .minimum(element(upper, at: axes, as: type), value) }
        return value
      }
    ]
  }
}

extension Expression {
  /// The product with a constant; the value itself for 1.
  func scaled(by factor: Double) -> Expression {
    factor == 1 ? self : self * .number(factor, dtype)
  }
}
