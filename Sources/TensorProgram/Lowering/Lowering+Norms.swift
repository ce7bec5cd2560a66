import KernelSpec

extension LoweringTable {
  static let norms: [String: Rule] = [
    "aten.native_layer_norm.default": { try $0.layerNorm($1) },
    "aten.rms_norm.default": { try $0.rootMeanSquareNorm($1) },
    "aten.native_group_norm.default": { lowering, operation in
      try lowering.groupNorm(operation, groups: try operation.integer("group"))
    },
    "aten._native_batch_norm_legit_no_training.default": { lowering, operation in
      try lowering.batchNorm(
        operation, mean: try lowering.tensor("running_mean", of: operation),
        variance: try lowering.tensor("running_var", of: operation))
    },
    "aten._native_batch_norm_legit.no_stats": { try $0.batchNormOfBatch($1) },
  ]
}

extension Lowering {
  /// `1 / sqrt(variance + epsilon)`
  fileprivate func reciprocalDeviation(_ variance: BufferID, epsilon: Double, in type: DType)
    -> BufferID
  {
    map(TensorType(type, shape(of: variance)), name: "rstd") { axes in
      let value = load(variance, axes.positions).cast(to: type)
      return .unary(.rsqrt, value + .number(epsilon, type))
    }
  }

  /// The product with an optional weight and the sum with an optional bias.
  fileprivate func affine(
    _ value: Expression, _ operation: Operation, at indices: [Index], in type: DType
  ) -> Expression {
    var value = value
    if let weight = optionalTensor("weight", of: operation) {
      value = value * load(weight, indices).cast(to: type)
    }
    if let bias = optionalTensor("bias", of: operation) {
      value = value + load(bias, indices).cast(to: type)
    }
    return value
  }

  /// The results of a norm: its output and, where the operator gives them, statistics.
  fileprivate func results(
    _ operation: Operation, _ output: BufferID, _ statistics: [BufferID], _ plan: ReductionPlan
  ) -> [BufferID] {
    [output]
      + zip(statistics, operation.results.dropFirst()).map {
        restoring($0, plan, as: $1)
      }
  }

  fileprivate func normalizedDimensions(_ operation: Operation, of input: BufferID) throws -> [Int]
  {
    let rank = shape(of: input).count
    return Array((rank - (try operation.integers("normalized_shape")).count)..<rank)
  }

  fileprivate func layerNorm(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let type = operation.result.dtype.computeType
    let dimensions = try normalizedDimensions(operation, of: input)
    let plan = ReductionPlan(shape: shape(of: input), dimensions: dimensions)
    let (mean, variance) = moments(of: input, plan, in: type)
    let deviation = reciprocalDeviation(
      variance, epsilon: operation.real("eps", default: 1e-5), in: type)
    let output = map(operation.result, name: "norm") { axes in
      let row = plan.kept(axes.positions)
      let distance = load(input, axes.positions).cast(to: type) - load(mean, row)
      return affine(
        distance * load(deviation, row), operation,
        at: axes.suffix(dimensions.count).map { .axis($0) }, in: type)
    }
    return results(operation, output, [mean, deviation], plan)
  }

  fileprivate func rootMeanSquareNorm(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let type = operation.result.dtype.computeType
    let dimensions = try normalizedDimensions(operation, of: input)
    let plan = ReductionPlan(shape: shape(of: input), dimensions: dimensions)
    let squares = mean(of: input, plan, in: type) { $0 * $0 }
    let epsilon = operation.real("eps", default: type.epsilon)
    let scale = reciprocalDeviation(squares, epsilon: epsilon, in: type)
    return [
      map(operation.result, name: "norm") { axes in
        let element = load(input, axes.positions).cast(to: type)
        return affine(
          element * load(scale, plan.kept(axes.positions)), operation,
          at: axes.suffix(dimensions.count).map { .axis($0) }, in: type)
      }
    ]
  }

  /// The channels of each group, and all positions, are normalised together.
  fileprivate func groupNorm(_ operation: Operation, groups: Int) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let shape = shape(of: input)
    guard shape.count >= 2, groups > 0, shape[1] % groups == 0 else {
      throw operation.error("the channels must divide into \(groups) groups")
    }
    let type = operation.result.dtype.computeType
    let width = shape[1] / groups
    let grouped = TensorType(type, [shape[0], groups, width] + shape.dropFirst(2))
    let plan = ReductionPlan(
      shape: grouped.shape, dimensions: Array(2..<grouped.rank))
    let view = map(grouped, name: "groups") { axes in
      let positions = axes.positions
      let channel = positions[1] * width + positions[2]
      return compute(input, [positions[0], channel] + positions.dropFirst(3)).cast(to: type)
    }
    let (mean, variance) = moments(of: view, plan, in: type)
    let deviation = reciprocalDeviation(
      variance, epsilon: operation.real("eps", default: 1e-5), in: type)
    let output = map(operation.result, name: "norm") { axes in
      let positions = axes.positions
      let row = [positions[0], positions[1].divided(by: width)]
      let distance = compute(input, positions).cast(to: type) - load(mean, row)
      return affine(distance * load(deviation, row), operation, at: [positions[1]], in: type)
    }
    return results(operation, output, [mean, deviation], plan)
  }

  fileprivate func batchNormOfBatch(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let type = operation.result.dtype.computeType
    let rank = shape(of: input).count
    let plan = ReductionPlan(
      shape: shape(of: input), dimensions: (0..<rank).filter { $0 != 1 })
    let (mean, variance) = moments(of: input, plan, in: type)
    let deviation = reciprocalDeviation(
      variance, epsilon: operation.real("eps", default: 1e-5), in: type)
    let output = batchNormOutput(operation, input, mean, deviation, in: type)
    return results(operation, output, [mean, deviation], plan)
  }

  fileprivate func batchNorm(
    _ operation: Operation, mean: BufferID, variance: BufferID
  ) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let type = operation.result.dtype.computeType
    restrict(variance, to: .positive)
    let deviation = reciprocalDeviation(
      variance, epsilon: operation.real("eps", default: 1e-5), in: type)
    let output = batchNormOutput(operation, input, mean, deviation, in: type)
    // In inference the saved statistics are empty tensors.
    return [output]
      + operation.results.dropFirst().map { type in map(type) { _ in .number(0, type.dtype) } }
  }

  fileprivate func batchNormOutput(
    _ operation: Operation, _ input: BufferID, _ mean: BufferID, _ deviation: BufferID,
    in type: DType
  ) -> BufferID {
    map(operation.result, name: "norm") { axes in
      let channel = [Index.axis(axes[1])]
      let distance =
        load(input, axes.positions).cast(to: type) - load(mean, channel).cast(to: type)
      return affine(distance * load(deviation, channel), operation, at: channel, in: type)
    }
  }
}

extension DType {
  /// The distance from 1 to the next larger number of this type that arithmetic is done in: what PyTorch adds
  /// for `eps=None`, for 16-bit inputs too.
  fileprivate var epsilon: Double { self == .f64 ? 0x1p-52 : 0x1p-23 }
}
