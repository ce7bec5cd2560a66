/// Result types and other spellings of softmax and the norms.
enum Normalization {
  static func softmax(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    _ = try call.normalizeDimension(rank: type.rank)
    guard type.dtype.isFloatingPoint else {
      throw call.fail("softmax of \(type.dtype.rawValue)", expected: "a floating-point type")
    }
    guard call.flag("half_to_float") else { return [TensorType(type.dtype, type.shape)] }
    guard type.dtype == .f16 else {
      throw call.fail("half_to_float of \(type.dtype.rawValue)", expected: "f16")
    }
    return [TensorType(.f32, type.shape)]
  }

  /// `softmax.int` as a conversion and `target`.
  static func softmaxOfAny(_ target: String) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      if let dtype = call.optionalDType() {
        let converted = try graph.add(
          "aten._to_copy.default",
          ["self": call.arguments["self"] ?? .none, "dtype": .dtype(dtype)])
        call.arguments["self"] = .tensor(converted[0])
      }
      return try graph.add(target, call.arguments)
    }
  }

  /// That each of `names` is absent or of shape `shape` and a floating-point type.
  static func requireShape(
    _ call: OperatorCall, _ names: [String], _ shape: [Int]
  ) throws(SpecError) {
    for name in names {
      guard let type = call.optionalTensor(name) else { continue }
      guard type.shape == shape, type.dtype.isFloatingPoint else {
        throw call.fail("\(name) is \(type)", expected: "floating-point of shape \(shape)")
      }
    }
  }

  private static func floatingInput(_ call: OperatorCall) throws(SpecError) -> TensorType {
    let type = try call.tensor("input")
    guard type.dtype.isFloatingPoint else {
      throw call.fail(
        "\(call.schema.name) of \(type.dtype.rawValue)", expected: "a floating-point type")
    }
    return type
  }

  /// The dtype of saved statistics: `f32` for 16-bit inputs with wider parameters.
  private static func statisticsType(_ call: OperatorCall, _ dtype: DType) -> DType {
    call.optionalTensor("weight")?.dtype ?? call.optionalTensor("bias")?.dtype ?? dtype
  }

  /// The leading dimensions of `type` before the normalised ones.
  private static func outerShape(_ call: OperatorCall, _ type: TensorType) throws(SpecError)
    -> [Int]
  {
    let shape = try call.integers("normalized_shape")
    guard !shape.isEmpty, type.rank >= shape.count, Array(type.shape.suffix(shape.count)) == shape
    else {
      throw call.fail(
        "normalized_shape \(shape) of \(type)", expected: "the last dimensions of the input")
    }
    return Array(type.shape.dropLast(shape.count))
  }

  static func layerNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try floatingInput(call)
    let outer = try outerShape(call, type)
    let inner = try call.integers("normalized_shape")
    try requireShape(call, ["weight", "bias"], inner)
    let statistics = TensorType(
      statisticsType(call, type.dtype), outer + inner.map { _ in 1 })
    return [TensorType(type.dtype, type.shape), statistics, statistics]
  }

  static func rmsNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try floatingInput(call)
    _ = try outerShape(call, type)
    try requireShape(call, ["weight"], try call.integers("normalized_shape"))
    return [TensorType(type.dtype, type.shape)]
  }

  static func groupNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try floatingInput(call)
    let groups = try call.integer("group")
    let (count, channels) = (try call.integer("N"), try call.integer("C"))
    let pixels = try call.integer("HxW")
    guard type.rank >= 2, type.shape[0] == count, type.shape[1] == channels,
      type.shape.dropFirst(2).reduce(1, *) == pixels
    else {
      throw call.fail("N \(count), C \(channels) and HxW \(pixels) do not describe \(type)")
    }
    guard groups > 0, channels % groups == 0 else {
      throw call.fail("\(channels) channels in \(groups) groups", expected: "a divisor")
    }
    try requireShape(call, ["weight", "bias"], [channels])
    let statistics = TensorType(statisticsType(call, type.dtype), [count, groups])
    return [TensorType(type.dtype, type.shape), statistics, statistics]
  }

  /// Batch norm in inference: saved statistics are empty, and momentum has no influence.
  static func batchNorm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try channelsInput(call)
    call.arguments["momentum"] = .scalar(.real(0))
    try requireShape(
      call, ["weight", "bias", "running_mean", "running_var"], [type.shape[1]])
    let empty = TensorType(statisticsType(call, type.dtype), [0])
    return [TensorType(type.dtype, type.shape), empty, empty]
  }

  /// Batch norm by the statistics of the batch.
  static func batchNormOfBatch(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try channelsInput(call)
    guard call.flag("training") else {
      throw SpecError(.argument, "batch norm without statistics", expected: "training: true")
    }
    call.arguments["momentum"] = .scalar(.real(0))
    try requireShape(call, ["weight", "bias"], [type.shape[1]])
    let statistics = TensorType(statisticsType(call, type.dtype), [type.shape[1]])
    return [TensorType(type.dtype, type.shape), statistics, statistics]
  }

  private static func channelsInput(_ call: OperatorCall) throws(SpecError) -> TensorType {
    let type = try floatingInput(call)
    guard type.rank >= 2 else { throw call.fail("batch norm of \(type)", expected: "rank 2 up") }
    return type
  }
}

extension OperatorTable {
  static let normalizations: [Operator?] = [
    .composite(
      """
      _native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, \
      Tensor running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)
      """, Spelling.batchNorm),
    .composite(
      """
      _native_batch_norm_legit_functional(Tensor input, Tensor? weight, Tensor? bias, \
      Tensor running_mean, Tensor running_var, bool training, float momentum, float eps) \
      -> (Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)
      """, Normalization.functionalBatchNorm),
    .composite(
      """
      instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, \
      Tensor? running_var, bool use_input_stats, float momentum, float eps, \
      bool cudnn_enabled) -> Tensor
      """, Normalization.instanceNorm),
    .primitive(
      "_softmax(Tensor self, int dim, bool half_to_float=False) -> Tensor", Normalization.softmax),
    .primitive(
      "_log_softmax(Tensor self, int dim, bool half_to_float=False) -> Tensor",
      Normalization.softmax),
    .composite(
      "softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
      Normalization.softmaxOfAny("aten._softmax.default")),
    .composite(
      "log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
      Normalization.softmaxOfAny("aten._log_softmax.default")),
    .primitive(
      """
      native_layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight, Tensor? bias, \
      float eps) -> (Tensor, Tensor, Tensor)
      """, Normalization.layerNorm),
    .composite(
      """
      layer_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, \
      Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      Array(try graph.add("aten.native_layer_norm.default", call.arguments).prefix(1))
    },
    .primitive(
      """
      rms_norm(Tensor input, SymInt[] normalized_shape, Tensor? weight=None, float? eps=None) \
      -> Tensor
      """, Normalization.rmsNorm),
    .primitive(
      """
      native_group_norm(Tensor input, Tensor? weight, Tensor? bias, SymInt N, SymInt C, \
      SymInt HxW, int group, float eps) -> (Tensor, Tensor, Tensor)
      """, Normalization.groupNorm),
    .composite(
      """
      group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, \
      float eps=1e-05, bool cudnn_enabled=True) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      let shape = try call.tensor("input").shape
      guard shape.count >= 2 else { throw call.fail("group_norm of rank \(shape.count)") }
      let pixels = shape.dropFirst(2).reduce(1, *)
      guard pixels <= SpecLimits.integer else {
        throw SpecError(.limit, "\(pixels) pixels", expected: "at most \(SpecLimits.integer)")
      }
      call.arguments["group"] = call.arguments["num_groups"]
      call.arguments["N"] = .integer(shape[0])
      call.arguments["C"] = .integer(shape[1])
      call.arguments["HxW"] = .integer(pixels)
      return Array(try graph.add("aten.native_group_norm.default", call.arguments).prefix(1))
    },
    .primitive(
      """
      _native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, \
      Tensor running_mean, Tensor running_var, float momentum, float eps) \
      -> (Tensor, Tensor, Tensor)
      """, Normalization.batchNorm),
    .primitive(
      """
      _native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, \
      bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)
      """, Normalization.batchNormOfBatch),
    .composite(
      """
      batch_norm(Tensor input, Tensor? weight=None, Tensor? bias=None, \
      Tensor? running_mean=None, Tensor? running_var=None, bool training=False, \
      float momentum=0.1, float eps=1e-05, bool cudnn_enabled=True) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      let hasStatistics = call.optionalTensor("running_mean") != nil
      guard !(call.flag("training") && hasStatistics) else {
        throw SpecError(
          .argument, "batch_norm that updates running statistics", expected: "training: false")
      }
      let target =
        hasStatistics
        ? "aten._native_batch_norm_legit_no_training.default"
        : "aten._native_batch_norm_legit.no_stats"
      return Array(try graph.add(target, call.arguments).prefix(1))
    },
  ]
}
