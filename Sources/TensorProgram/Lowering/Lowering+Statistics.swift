import KernelSpec

extension LoweringTable {
  /// Means, variances and norms of vectors.
  static let statistics: [String: Rule] = [
    "aten.mean.dim": { try $0.mean($1) },
    "aten.var.correction": { lowering, operation in
      try lowering.variance(operation, correction: operation.real("correction", default: 1))
    },
    "aten.linalg_vector_norm.default": { try $0.vectorNorm($1) },
    "aten.logsumexp.default": { try $0.logSumExp($1) },
  ]
}

extension Lowering {
  /// The mean over the dimensions of `plan`, as a sum and a division, in the kept dimensions.
  func mean(
    of input: BufferID, _ plan: ReductionPlan, in type: DType,
    _ value: (Expression) -> Expression = { $0 }
  ) -> BufferID {
    let kept = TensorType(type, plan.keptShape)
    let sum = reduce(kept, input, plan, .sum, name: "sum") { value($0.cast(to: type)) }
    return map(kept, name: "mean") { axes in
      load(sum, axes.positions) / .number(Double(plan.count), type)
    }
  }

  /// The mean and the mean squared distance from it, in two passes.
  ///
  /// - Parameter correction: what is subtracted from the number of elements to divide by.
  func moments(
    of input: BufferID, _ plan: ReductionPlan, in type: DType, correction: Double = 0
  ) -> (mean: BufferID, variance: BufferID) {
    let kept = TensorType(type, plan.keptShape)
    let mean = mean(of: input, plan, in: type)
    let squares = reduce(kept, over: plan.reducedShape, .sum, name: "squares") { axes, reduced in
      let element = load(input, plan.indices(kept: axes, reduced: reduced)).cast(to: type)
      let distance = element - load(mean, axes.positions)
      return distance * distance
    }
    let divisor = max(Double(plan.count) - correction, 0)
    let variance = map(kept, name: "variance") { axes in
      load(squares, axes.positions) / .number(divisor, type)
    }
    return (mean, variance)
  }

  /// `input`, which lacks the reduced dimensions, in the shape and type of a result that may keep them.
  func restoring(_ input: BufferID, _ plan: ReductionPlan, as type: TensorType) -> BufferID {
    map(type) { axes in
      let isFull = axes.count == plan.shape.count
      return load(input, isFull ? plan.kept(axes.positions) : axes.positions)
    }
  }

  fileprivate func mean(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let plan = plan(operation, of: input)
    let type = operation.result.dtype.computeType
    let sum = reduce(TensorType(type, operation.result.shape), input, plan, .sum, name: "sum") {
      $0.cast(to: type)
    }
    return [
      map(operation.result) { axes in
        load(sum, axes.positions) / .number(Double(plan.count), type)
      }
    ]
  }

  fileprivate func variance(_ operation: Operation, correction: Double) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let plan = plan(operation, of: input)
    let type = operation.result.dtype.computeType
    let moments = moments(of: input, plan, in: type, correction: correction)
    return [restoring(moments.variance, plan, as: operation.result)]
  }

  fileprivate func vectorNorm(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let plan = plan(operation, of: input)
    let order = operation.real("ord", default: 2)
    let type = operation.result.dtype.computeType
    let combiner: Combiner = order == .infinity ? .maximum : order == -.infinity ? .minimum : .sum
    let combined = reduce(
      TensorType(type, operation.result.shape), input, plan, combiner, name: "norm"
    ) { Self.term(ofOrder: order, .unary(.absolute, $0.cast(to: type))) }
    return [
      map(operation.result) { axes in
        Self.root(ofOrder: order, load(combined, axes.positions))
      }
    ]
  }

  /// What makes a norm of a combination of terms.
  static func root(ofOrder order: Double, _ value: Expression) -> Expression {
    switch order {
    case 0, 1, .infinity, -.infinity: value
    case 2: .unary(.sqrt, value)
    default: .binary(.power, value, .number(1 / order, value.dtype))
    }
  }

  static func term(ofOrder order: Double, _ magnitude: Expression) -> Expression {
    let type = magnitude.dtype
    return switch order {
    case 0: .binary(.notEqual, magnitude, .number(0, type)).cast(to: type)
    case 1, .infinity, -.infinity: magnitude
    case 2: magnitude * magnitude
    default: .binary(.power, magnitude, .number(order, type))
    }
  }

  /// `log Σ exp(x - m) + m`, where `m` is the maximum, or 0 where that is infinite.
  fileprivate func logSumExp(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let plan = plan(operation, of: input)
    let type = operation.result.dtype.computeType
    let kept = TensorType(type, plan.keptShape)
    let largest = reduce(kept, input, plan, .maximum, name: "largest") { $0.cast(to: type) }
    let shift = map(kept, name: "shift") { axes in
      let value = load(largest, axes.positions)
      return .select(.unary(.isInfinite, value), .number(0, type), value)
    }
    let sum = reduce(kept, over: plan.reducedShape, .sum, name: "sum") { axes, reduced in
      let element = load(input, plan.indices(kept: axes, reduced: reduced)).cast(to: type)
      return .unary(.exp, element - load(shift, axes.positions))
    }
    let result = map(kept) { axes in
      .unary(.log, load(sum, axes.positions)) + load(shift, axes.positions)
    }
    return [restoring(result, plan, as: operation.result)]
  }
}
