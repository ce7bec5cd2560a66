import KernelSpec

extension LoweringTable {
  static let convolutions: [String: Rule] = [
    "aten.convolution.default": { try $0.convolution($1) }
  ]
}

/// The window of a convolution or pooling along one spatial dimension.
struct Window {
  /// The extent of the input.
  let length: Int
  let kernel: Int
  let stride: Int
  let padding: Int
  let dilation: Int

  /// The input position that kernel position `offset` meets at output position `output`.
  func position(_ output: Index, _ offset: Index) -> Index {
    output * stride + offset * dilation - padding
  }

  /// The condition that a position lies within the input, when outputs `0..<outputs` can leave it.
  func guards(_ position: Index, outputs: Int) -> [Expression] {
    let last = (outputs - 1) * stride + (kernel - 1) * dilation - padding
    return padding > 0 || last >= length ? [.inRange(position, lower: 0, upper: length)] : []
  }

  /// The input position, if any, that is added to output position `output` of a transposed convolution,
  /// with the kernel position that it comes through.
  ///
  /// With a dilation of 1, `offset` runs over the kernel positions of the output's phase only, which are
  /// `1 / stride` of all; otherwise the positions that are not multiples of the stride are left out by a
  /// condition.
  func transposed(_ output: Index, _ offset: Index) -> (
    input: Index, kernel: Index, guards: [Expression]
  ) {
    if dilation == 1 {
      let shifted = output + padding
      let input = shifted.divided(by: stride) - offset
      let position = shifted.modulo(stride) + offset * stride
      let inKernel = Expression.inRange(position, lower: 0, upper: kernel)
      return (
        input, position,
        [.inRange(input, lower: 0, upper: length)] + (kernel % stride == 0 ? [] : [inKernel])
      )
    }
    let distance = output + padding - offset * dilation
    let input = distance.divided(by: stride)
    let isMultiple = Expression.inRange(distance.modulo(stride), lower: 0, upper: 1)
    return (
      input, offset,
      [.inRange(input, lower: 0, upper: length)] + (stride == 1 ? [] : [isMultiple])
    )
  }

  /// How many values `offset` takes in a transposed convolution.
  var transposedOffsets: Int { dilation == 1 ? (kernel + stride - 1) / stride : kernel }
}

/// The shapes and parameters of a convolution.
struct ConvolutionPlan {
  let input: BufferID
  let weight: BufferID
  let windows: [Window]
  let isTransposed: Bool
  let groups: Int
  let inputChannels: Int
  let outputChannels: Int

  var inputsPerGroup: Int { inputChannels / groups }
  var outputsPerGroup: Int { outputChannels / groups }
}

extension Lowering {
  fileprivate func convolution(_ operation: Operation) throws -> [BufferID] {
    let plan = try convolutionPlan(operation)
    let type = operation.result.dtype.computeType
    let bias = optionalTensor("bias", of: operation)
    let product = products(
      plan, as: bias == nil ? operation.result : TensorType(type, operation.result.shape),
      in: type, name: "convolution")
    guard let bias else { return [product] }
    return [
      map(operation.result) { axes in
        load(product, axes.positions) + load(bias, [.axis(axes[1])]).cast(to: type)
      }
    ]
  }

  fileprivate func convolutionPlan(_ operation: Operation) throws -> ConvolutionPlan {
    let input = try tensor("input", of: operation)
    let weight = try tensor("weight", of: operation)
    let (inputShape, weightShape) = (shape(of: input), shape(of: weight))
    let rank = operation.result.rank
    guard rank > 2, inputShape.count == rank, weightShape.count == rank else {
      throw operation.error("input and weight must have a batch, channels and spatial dimensions")
    }
    let spatial = rank - 2
    let stride = try operation.integers("stride", count: spatial)
    let padding = try operation.integers("padding", count: spatial)
    let dilation = try operation.integers("dilation", count: spatial)
    return ConvolutionPlan(
      input: input, weight: weight,
      windows: (0..<spatial).map {
        Window(
          length: inputShape[$0 + 2], kernel: weightShape[$0 + 2], stride: stride[$0],
          padding: padding[$0], dilation: dilation[$0])
      },
      isTransposed: operation.boolean("transposed"), groups: try operation.integer("groups"),
      inputChannels: inputShape[1], outputChannels: operation.result.shape[1])
  }

  /// The sums of products of a convolution, without bias.
  ///
  /// - Parameter type: of the products.
  func products(
    _ plan: ConvolutionPlan, as result: TensorType, in type: DType, name: String
  ) -> BufferID {
    if plan.isTransposed, let phases = TransposedPhases(plan.windows, outputs: result.shape) {
      return transposedProducts(plan, phases, as: result, in: type, name: name)
    }
    return reduce(
      result,
      over: [plan.inputsPerGroup]
        + plan.windows.map { plan.isTransposed ? $0.transposedOffsets : $0.kernel },
      .sum, name: name
    ) { axes, reduced in
      plan.isTransposed
        ? transposedTerm(plan, axes, reduced, in: type) : term(plan, axes, reduced, in: type)
    }
  }

  /// `input[n, g·C + c, y·s + k·d - p…] · weight[o, c, k…]`
  private func term(
    _ plan: ConvolutionPlan, _ axes: [Axis], _ reduced: [Axis], in type: DType
  ) -> Expression {
    let (at, over) = (axes.positions, reduced.positions)
    let channel =
      plan.groups == 1
      ? over[0] : at[1].divided(by: plan.outputsPerGroup) * plan.inputsPerGroup + over[0]
    var spatial: [Index] = []
    var guards: [Expression] = []
    for (dimension, window) in plan.windows.enumerated() {
      let position = window.position(at[dimension + 2], over[dimension + 1])
      spatial.append(position)
      guards += window.guards(position, outputs: axes[dimension + 2].extent)
    }
    let element = load(plan.input, [at[0], channel] + spatial).cast(to: type)
    let weight = load(plan.weight, [at[1]] + over).cast(to: type)
    return element.guarded(by: guards, otherwise: .number(.integer(0), type)) * weight
  }

  /// `input[n, g·C + c, x…] · weight[g·C + c, o, k…]`, where input position `x` spreads to this output
  /// through kernel position `k`.
  private func transposedTerm(
    _ plan: ConvolutionPlan, _ axes: [Axis], _ reduced: [Axis], in type: DType
  ) -> Expression {
    let (at, over) = (axes.positions, reduced.positions)
    let channel =
      plan.groups == 1
      ? over[0] : at[1].divided(by: plan.outputsPerGroup) * plan.inputsPerGroup + over[0]
    let output = plan.groups == 1 ? at[1] : at[1].modulo(plan.outputsPerGroup)
    let terms = plan.windows.enumerated().map { dimension, window in
      window.transposed(at[dimension + 2], over[dimension + 1])
    }
    let element = load(plan.input, [at[0], channel] + terms.map(\.input)).cast(to: type)
    let weight = load(plan.weight, [channel, output] + terms.map(\.kernel)).cast(to: type)
    return (element * weight).guarded(
      by: terms.flatMap(\.guards), otherwise: .number(.integer(0), type))
  }
}
