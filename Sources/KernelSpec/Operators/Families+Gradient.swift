/// Result types of the gradients that are operators of their own.
enum Gradient {
  /// The types of the results, of which those that `output_mask` leaves out have no elements.
  private static func masked(_ call: OperatorCall, _ types: [TensorType]) throws(SpecError)
    -> [TensorType]
  {
    zip(try call.flags("output_mask"), types).map { $0 ? $1 : TensorType($1.dtype, [0]) }
  }

  /// That the gradient has the shape that the operator's result has.
  private static func require(_ call: OperatorCall, _ name: String, _ shape: [Int], _ dtype: DType)
    throws(SpecError)
  {
    let type = try call.tensor(name)
    guard type.shape == shape, type.dtype == dtype else {
      throw call.fail("\(name) is \(type)", expected: "\(TensorType(dtype, shape))")
    }
  }

  private static func contiguous(_ type: TensorType) -> TensorType {
    TensorType(type.dtype, type.shape)
  }

  static func convolution(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let result = try Convolution.infer(&call)[0]
    try require(call, "grad_output", result.shape, result.dtype)
    call.arguments["bias_sizes"] = .integers([result.shape[1]])
    return try masked(
      call,
      [
        contiguous(try call.tensor("input")), contiguous(try call.tensor("weight")),
        TensorType(result.dtype, [result.shape[1]]),
      ])
  }

  static func layerNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("input")
    let inner = try call.integers("normalized_shape")
    guard type.dtype.isFloatingPoint, type.rank >= inner.count,
      Array(type.shape.suffix(inner.count)) == inner
    else { throw call.fail("normalized_shape \(inner) of \(type)") }
    try require(call, "grad_out", type.shape, type.dtype)
    try Normalization.requireShape(call, ["weight", "bias"], inner)
    let outer = Array(type.shape.dropLast(inner.count)) + inner.map { _ in 1 }
    try Normalization.requireShape(call, ["mean", "rstd"], outer)
    let mask = try call.flags("output_mask")
    for (position, name) in ["weight", "bias"].enumerated() where mask[position + 1] {
      _ = try call.tensor(name)
    }
    let affine = call.optionalTensor("weight")?.dtype ?? type.dtype
    return try masked(
      call, [contiguous(type), TensorType(affine, inner), TensorType(affine, inner)])
  }

  static func groupNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("input")
    let (groups, channels) = (try call.integer("group"), try call.integer("C"))
    guard type.dtype.isFloatingPoint, type.rank >= 2, type.shape[0] == (try call.integer("N")),
      type.shape[1] == channels, groups > 0, channels % groups == 0,
      type.shape.dropFirst(2).reduce(1, *) == (try call.integer("HxW"))
    else { throw call.fail("N, C, HxW and group do not describe \(type)") }
    try require(call, "grad_out", type.shape, type.dtype)
    try Normalization.requireShape(call, ["mean", "rstd"], [type.shape[0], groups])
    try Normalization.requireShape(call, ["weight"], [channels])
    let affine = TensorType(call.optionalTensor("weight")?.dtype ?? type.dtype, [channels])
    return try masked(call, [contiguous(type), affine, affine])
  }

  static func embedding(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let gradient = try call.tensor("grad_output")
    let positions = try Arrangement.indices(call, "indices")
    let rows = try call.integer("num_weights")
    guard gradient.dtype.isFloatingPoint, Array(gradient.shape.dropLast()) == positions.shape,
      let width = gradient.shape.last, rows >= 0
    else { throw call.fail("the gradient is \(gradient) and the indices \(positions)") }
    return [try TensorType.checked(gradient.dtype, [rows, width])]
  }

  /// The type of `self`, whose pooled shape is that of `grad_output`.
  static func pool(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      let shape = try Pooling.shape(&call, type, spatial: spatial)
      try require(call, "grad_output", shape, type.dtype)
      if call.arguments["indices"] != nil { try require(call, "indices", shape, .i64) }
      guard type.dtype.isFloatingPoint, call.optionalInteger("divisor_override") != 0 else {
        throw call.fail("\(call.schema.name) of \(type)", expected: "a floating-point type")
      }
      return [contiguous(type)]
    }
  }

  static func adaptive(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let (type, gradient) = (try call.tensor("self"), try call.tensor("grad_output"))
      guard type.dtype.isFloatingPoint, type.dtype == gradient.dtype, type.rank == gradient.rank,
        type.rank == spatial + 1 || type.rank == spatial + 2,
        type.shape.dropLast(spatial) == gradient.shape.dropLast(spatial),
        (type.shape.suffix(spatial) + gradient.shape.suffix(spatial)).allSatisfy({ $0 > 0 })
      else { throw call.fail("\(call.schema.name) of \(gradient) for \(type)") }
      return [contiguous(type)]
    }
  }
}

extension OperatorTable {
  private static let poolGradients: [Operator?] = (2...3).flatMap { rank -> [Operator?] in
    let size = "int[\(rank)]"
    let window = "Tensor self, \(size) kernel_size, \(size) stride, \(size) padding"
    return [
      .primitive(
        """
        avg_pool\(rank)d_backward(Tensor grad_output, \(window), bool ceil_mode, \
        bool count_include_pad, int? divisor_override) -> Tensor
        """, Gradient.pool(rank)),
      .primitive(
        """
        max_pool\(rank)d_with_indices_backward(Tensor grad_output, \(window), \
        \(size) dilation, bool ceil_mode, Tensor indices) -> Tensor
        """, Gradient.pool(rank)),
      .primitive(
        "_adaptive_avg_pool\(rank)d_backward(Tensor grad_output, Tensor self) -> Tensor",
        Gradient.adaptive(rank)),
    ]
  }

  static let gradients: [Operator?] =
    poolGradients + [
      .primitive(
        """
        convolution_backward(Tensor grad_output, Tensor input, Tensor weight, \
        SymInt[]? bias_sizes, SymInt[] stride, SymInt[] padding, SymInt[] dilation, \
        bool transposed, SymInt[] output_padding, SymInt groups, bool[3] output_mask) \
        -> (Tensor, Tensor, Tensor)
        """, Gradient.convolution),
      .primitive(
        """
        native_layer_norm_backward(Tensor grad_out, Tensor input, SymInt[] normalized_shape, \
        Tensor mean, Tensor rstd, Tensor? weight, Tensor? bias, bool[3] output_mask) \
        -> (Tensor, Tensor, Tensor)
        """, Gradient.layerNorm),
      .primitive(
        """
        native_group_norm_backward(Tensor grad_out, Tensor input, Tensor mean, Tensor rstd, \
        Tensor? weight, SymInt N, SymInt C, SymInt HxW, int group, bool[3] output_mask) \
        -> (Tensor, Tensor, Tensor)
        """, Gradient.groupNorm),
      .primitive(
        """
        embedding_dense_backward(Tensor grad_output, Tensor indices, SymInt num_weights, \
        SymInt padding_idx, bool scale_grad_by_freq) -> Tensor
        """, Gradient.embedding),
    ]
}
