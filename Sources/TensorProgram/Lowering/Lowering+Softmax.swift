import KernelSpec

extension LoweringTable {
  static let softmaxes: [String: Rule] = [
    "aten._softmax.default": { try $0.softmax($1) },
    "aten._log_softmax.default": { try $0.logSoftmax($1) },
  ]
}

extension Lowering {
  fileprivate func softmax(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    return [softmax(of: input, dimension: try operation.integer("dim"), as: operation.result)]
  }

  /// The softmax of `input` along one dimension.
  ///
  /// - Parameter emptyRowsAreZero: whether a row of nothing but `-inf` gives zeros, and not NaN.
  func softmax(
    of input: BufferID, dimension: Int, as result: TensorType, emptyRowsAreZero: Bool = false
  ) -> BufferID {
    let type = result.dtype.computeType
    let plan = ReductionPlan(shape: shape(of: input), dimensions: [dimension])
    let kept = TensorType(type, plan.keptShape)
    let largest = reduce(kept, input, plan, .maximum, name: "largest") { $0.cast(to: type) }
    let powers = map(TensorType(type, result.shape), name: "powers") { axes in
      let element = load(input, axes.positions).cast(to: type)
      return .unary(.expOfNonPositive, element - load(largest, plan.kept(axes.positions)))
    }
    let sum = reduce(kept, powers, plan, .sum, name: "sum") { $0 }
    return map(result, name: "softmax") { axes in
      let row = plan.kept(axes.positions)
      // The sum of a finite row is at least 1, so that its reciprocal is exact to half a unit.
      let quotient = load(powers, axes.positions) * .unary(.reciprocal, load(sum, row))
      guard emptyRowsAreZero else { return quotient }
      let isEmpty = Expression.binary(
        .equal, load(largest, row), .real(-.infinity, type))
      return .select(isEmpty, .number(0, type), quotient)
    }
  }

  fileprivate func logSoftmax(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let type = operation.result.dtype.computeType
    let plan = ReductionPlan(
      shape: shape(of: input), dimensions: [try operation.integer("dim")])
    let kept = TensorType(type, plan.keptShape)
    let largest = reduce(kept, input, plan, .maximum, name: "largest") { $0.cast(to: type) }
    let sum = reduce(kept, over: plan.reducedShape, .sum, name: "sum") { axes, reduced in
      let element = load(input, plan.indices(kept: axes, reduced: reduced)).cast(to: type)
      return .unary(.expOfNonPositive, element - load(largest, axes.positions))
    }
    return [
      map(operation.result) { axes in
        let row = plan.kept(axes.positions)
        let shifted = load(input, axes.positions).cast(to: type) - load(largest, row)
        return shifted - .unary(.log, load(sum, row))
      }
    ]
  }
}
