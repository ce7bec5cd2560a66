import KernelSpec

extension LoweringTable {
  /// Gradients of convolutions, norms and embeddings.
  static let gradients: [String: Rule] = [
    "aten.convolution_backward.default": { try $0.convolutionGradients($1) },
    "aten.native_layer_norm_backward.default": { try $0.layerNormGradients($1) },
    "aten.native_group_norm_backward.default": { try $0.groupNormGradients($1) },
    "aten.embedding_dense_backward.default": { try $0.embeddingGradient($1) },
  ]
}

extension Operation {
  /// Whether each result is asked for; the others have no elements.
  fileprivate var isWanted: [Bool] {
    if case .booleans(let values) = node.arguments["output_mask"] { return values }
    return results.map { _ in true }
  }
}

extension Lowering {
  /// The results that are asked for, each from its own function.
  fileprivate func wanted(_ operation: Operation, _ results: [(TensorType) throws -> BufferID])
    throws -> [BufferID]
  {
    try zip(zip(results, operation.results), operation.isWanted).map { pair, isWanted in
      try isWanted ? pair.0(pair.1) : zeros(pair.1)
    }
  }

  fileprivate func convolutionGradients(_ operation: Operation) throws -> [BufferID] {
    let gradient = try tensor("grad_output", of: operation)
    let input = try tensor("input", of: operation)
    let weight = try tensor("weight", of: operation)
    let isTransposed = operation.boolean("transposed")
    let windows = try gradientWindows(operation, gradient, weight)
    let groups = try operation.integer("groups")
    let type = self.type(of: input).dtype.computeType
    return try wanted(
      operation,
      [
        { [self] result in
          let plan = ConvolutionPlan(
            input: gradient, weight: weight, windows: windows, isTransposed: !isTransposed,
            groups: groups, inputChannels: shape(of: gradient)[1],
            outputChannels: shape(of: input)[1])
          return products(plan, as: result, in: type, name: "gradient")
        },
        { [self] result in
          // The two change their roles in a transposed convolution.
          let (still, moving) = isTransposed ? (input, gradient) : (gradient, input)
          return try weightGradient(
            result, still, moving, operation, groups: groups, in: type)
        },
        { [self] result in
          let shape = shape(of: gradient)
          return reduce(result, over: [shape[0]] + shape.dropFirst(2), .sum) { axes, reduced in
            let over = reduced.positions
            return load(gradient, [over[0], .axis(axes[0])] + over.dropFirst()).cast(to: type)
          }
        },
      ])
  }

  /// The windows in which positions of the gradient meet those of the input.
  fileprivate func gradientWindows(
    _ operation: Operation, _ moving: BufferID, _ weight: BufferID
  ) throws -> [Window] {
    let kernel = Array(shape(of: weight).dropFirst(2))
    let stride = try operation.integers("stride", count: kernel.count)
    let padding = try operation.integers("padding", count: kernel.count)
    let dilation = try operation.integers("dilation", count: kernel.count)
    return kernel.indices.map {
      Window(
        length: shape(of: moving)[$0 + 2], kernel: kernel[$0], stride: stride[$0],
        padding: padding[$0], dilation: dilation[$0])
    }
  }

  /// `Σ still[n, o, y…] · moving[n, g·C + c, y·s + k·d - p…]`
  fileprivate func weightGradient(
    _ result: TensorType, _ still: BufferID, _ moving: BufferID, _ operation: Operation,
    groups: Int, in type: DType
  ) throws -> BufferID {
    let windows = try gradientWindows(
      operation, moving, try tensor("weight", of: operation))
    let stillShape = shape(of: still)
    let width = (shape(of: moving)[1] / groups, stillShape[1] / groups)
    return reduce(
      result, over: [stillShape[0]] + stillShape.dropFirst(2), .sum, name: "gradient"
    ) { axes, reduced in
      let (at, over) = (axes.positions, reduced.positions)
      var spatial: [Index] = []
      var guards: [Expression] = []
      for (dimension, window) in windows.enumerated() {
        let position = window.position(over[dimension + 1], at[dimension + 2])
        spatial.append(position)
        guards += window.guards(position, outputs: reduced[dimension + 1].extent)
      }
      let channel =
        groups == 1 ? at[1] : at[0].divided(by: width.1) * width.0 + at[1]
      let one = load(still, [over[0], at[0]] + over.dropFirst()).cast(to: type)
      let two = load(moving, [over[0], channel] + spatial).cast(to: type)
      return one * two.guarded(by: guards, otherwise: .number(.integer(0), type))
    }
  }

  /// The gradient of a normalisation by mean and deviation over `count` elements:
  /// `rstd · (g - Σg / count - x̂ · Σ(g·x̂) / count)`.
  fileprivate func normGradient(
    _ gradient: Expression, _ normal: Expression, _ sum: Expression, _ product: Expression,
    _ deviation: Expression, count: Int
  ) -> Expression {
    let share = Expression.number(1 / Double(max(count, 1)), gradient.dtype)
    return deviation * (gradient - sum * share - normal * (product * share))
  }

  /// The gradients of a norm's weight and bias, which are shared along the reduced axes of `plan`.
  private func affineGradients(
    _ gradient: BufferID, _ normal: @escaping ([Index]) -> Expression, over plan: ReductionPlan,
    in type: DType
  ) -> [(TensorType) throws -> BufferID] {
    [
      { [self] result in
        reduce(result, over: plan.reducedShape, .sum) {
          let at = plan.indices(kept: $0, reduced: $1)
          return load(gradient, at).cast(to: type) * normal(at)
        }
      },
      { [self] result in reduce(result, gradient, plan, .sum) { $0.cast(to: type) } },
    ]
  }

  fileprivate func layerNormGradients(_ operation: Operation) throws -> [BufferID] {
    let gradient = try tensor("grad_out", of: operation)
    let input = try tensor("input", of: operation)
    let (mean, deviation) = (
      try tensor("mean", of: operation), try tensor("rstd", of: operation)
    )
    let weight = optionalTensor("weight", of: operation)
    let type = self.type(of: input).dtype.computeType
    let rank = shape(of: input).count
    let outer = rank - (try operation.integers("normalized_shape")).count
    let plan = ReductionPlan(shape: shape(of: input), dimensions: Array(outer..<rank))
    let columns = ReductionPlan(shape: shape(of: input), dimensions: Array(0..<outer))
    let normal = { [self] (at: [Index]) -> Expression in
      (load(input, at).cast(to: type) - load(mean, broadcastAt: at).cast(to: type))
        * load(deviation, broadcastAt: at).cast(to: type)
    }
    let scaled = { [self] (at: [Index]) -> Expression in
      let value = load(gradient, at).cast(to: type)
      return weight.map { value * load($0, Array(at.dropFirst(outer))).cast(to: type) } ?? value
    }
    return try wanted(
      operation,
      [
        { [self] result in
          let kept = TensorType(type, plan.keptShape)
          let sum = reduce(kept, over: plan.reducedShape, .sum, name: "sum") {
            scaled(plan.indices(kept: $0, reduced: $1))
          }
          let product = reduce(kept, over: plan.reducedShape, .sum, name: "product") {
            let at = plan.indices(kept: $0, reduced: $1)
            return scaled(at) * normal(at)
          }
          return map(result, name: "gradient") { axes in
            let at = axes.positions
            return normGradient(
              scaled(at), normal(at), load(sum, plan.kept(at)), load(product, plan.kept(at)),
              load(deviation, broadcastAt: at).cast(to: type), count: plan.count)
          }
        }
      ] + affineGradients(gradient, normal, over: columns, in: type))
  }

  fileprivate func groupNormGradients(_ operation: Operation) throws -> [BufferID] {
    let gradient = try tensor("grad_out", of: operation)
    let input = try tensor("input", of: operation)
    let (mean, deviation) = (
      try tensor("mean", of: operation), try tensor("rstd", of: operation)
    )
    let weight = optionalTensor("weight", of: operation)
    let type = self.type(of: input).dtype.computeType
    let shape = shape(of: input)
    let width = shape[1] / (try operation.integer("group"))
    let channels = ReductionPlan(
      shape: shape, dimensions: shape.indices.filter { $0 != 1 })
    let row = { (at: [Index]) in [at[0], at[1].divided(by: width)] }
    let normal = { [self] (at: [Index]) -> Expression in
      (load(input, at).cast(to: type) - load(mean, row(at)).cast(to: type))
        * load(deviation, row(at)).cast(to: type)
    }
    let scaled = { [self] (at: [Index]) -> Expression in
      let value = load(gradient, at).cast(to: type)
      return weight.map { value * load($0, [at[1]]).cast(to: type) } ?? value
    }
    let spatial = Array(shape.dropFirst(2))
    let sums = { [self] (name: String, value: ([Index]) -> Expression) -> BufferID in
      reduce(
        TensorType(type, [shape[0], shape[1] / width]), over: [width] + spatial, .sum, name: name
      ) { axes, reduced in
        let (at, over) = (axes.positions, reduced.positions)
        return value([at[0], at[1] * width + over[0]] + over.dropFirst())
      }
    }
    return try wanted(
      operation,
      [
        { [self] result in
          let sum = sums("sum") { scaled($0) }
          let product = sums("product") { scaled($0) * normal($0) }
          return map(result, name: "gradient") { axes in
            let at = axes.positions
            return normGradient(
              scaled(at), normal(at), load(sum, row(at)), load(product, row(at)),
              load(deviation, row(at)).cast(to: type), count: spatial.reduce(width, *))
          }
        }
      ] + affineGradients(gradient, normal, over: channels, in: type))
  }

  /// Each row is the sum of the gradients at its positions.
  fileprivate func embeddingGradient(_ operation: Operation) throws -> [BufferID] {
    let gradient = try tensor("grad_output", of: operation)
    let positions = try tensor("indices", of: operation)
    let rows = operation.result.shape[0]
    restrict(positions, to: .index(rows))
    let type = operation.result.dtype.computeType
    let padding = try operation.integer("padding_idx")
    let row = { [self] (at: [Index]) -> Expression in
      let value = load(positions, at).cast(to: .i64)
      if padding < 0 { return value }
      return .select(.equal(value, .whole(padding)), .whole(-1), value)
    }
    let counts = scatter(
      TensorType(.i64, [rows]), over: shape(of: positions), .sum, initial: { _ in .whole(0) }
    ) { _, own in ([.value(row(own.positions))], .whole(1)) }
    let isScaled = operation.boolean("scale_grad_by_freq")
    let sums = scatter(
      TensorType(type, operation.result.shape), over: shape(of: positions), .sum,
      initial: { _ in .number(0, type) }
    ) { domain, own in
      let at = own.positions
      var value = load(gradient, at + [.axis(domain[1])]).cast(to: type)
      if isScaled {
        let count = load(counts, [row(at).position(within: rows)])
        value = value / count.cast(to: type)
      }
      return ([.value(row(at)), .axis(domain[1])], value)
    }
    return [converted(sums, to: operation.result.dtype)]
  }
}
