/// Operators that exports leave whole and that say in one what others say in several.
enum Spelling {
  /// Batch norm with the running statistics as inputs, in training or not.
  /// What PyTorch writes to the running statistics is no result; `_functional` gives it.
  @Sendable static func batchNorm(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let kind = call.flag("training") ? ".no_stats" : "_no_training.default"
    return try graph.add("aten._native_batch_norm_legit\(kind)", call.arguments)
  }

  /// Batch norm in training with the new running statistics, and an empty reserve before them.
  @Sendable static func updatingBatchNorm(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    call.arguments["training"] = .boolean(true)
    var results = try Normalization.functionalBatchNorm(&call, &graph)
    let reserve = try graph.add(
      "aten.full.default",
      ["size": .integers([0]), "fill_value": .scalar(.integer(0)), "dtype": .dtype(.u8)])
    results.insert(contentsOf: reserve, at: 3)
    return results
  }

  @Sendable static func varianceAndMean(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    try graph.add("aten.var.correction", call.arguments)
      + graph.add("aten.mean.dim", call.arguments)
  }

  /// The larger or smaller of two elements, of which a NaN does not count.
  static func ofNumbers(_ name: String) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      let (first, second) = (call.term("self"), call.term("other"))
      let both = try graph.add("aten.\(name).default", ["self": first, "other": second])
      let withoutSecond = try graph.choice(
        try graph.unary("isnan", second), first, .tensor(both[0]))
      let result = try graph.choice(try graph.unary("isnan", first), second, withoutSecond)
      guard case .tensor(let value) = result else { return [] }
      return [value]
    }
  }

  /// Rounds at the digit `decimals` behind the point, half to even, as PyTorch does: by a power of ten that
  /// is never a fraction.
  @Sendable static func decimals(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (type, count) = (try call.tensor("self"), try call.integer("decimals"))
    guard type.dtype.isFloatingPoint, abs(count) <= 308 else {
      throw call.fail(
        "round of \(type) at \(count) decimals", expected: "a real type, and at most 308")
    }
    guard count != 0 else { return try graph.add("aten.round.default", call.arguments) }
    let power = GraphBuilder.Term.number((0..<abs(count)).reduce(1.0) { power, _ in power * 10 })
    let (before, after) = count > 0 ? ("mul", "div") : ("div", "mul")
    let rounded = try graph.unary("round", try graph.binary(before, call.term("self"), power))
    guard case .tensor(let result) = try graph.binary(after, rounded, power) else { return [] }
    return [result]
  }

  /// `scatter` that adds or multiplies.
  @Sendable static func reducingScatter(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let names = ["add": "sum", "multiply": "prod"]
    guard let reduction = call.optionalString("reduce").flatMap({ names[$0] }) else {
      throw call.fail("an unknown reduce", expected: "add or multiply")
    }
    var arguments = call.arguments
    arguments["reduce"] = .string(reduction)
    if arguments["src"] == nil {
      arguments["src"] = .tensor(
        try graph.add(
          "aten.full.default",
          [
            "size": .integers(try call.tensor("index").shape), "fill_value": call.term("value"),
            "dtype": .dtype(try call.tensor("self").dtype),
          ])[0])
    }
    return try graph.add("aten.scatter_reduce.two", arguments)
  }

  @Sendable static func powerOfTwo(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let arguments = ["self": CheckedSpec.Argument.number(2), "exponent": call.term("self")]
    return try graph.add("aten.pow.Scalar", arguments)
  }
}

extension OperatorTable {
  static let spellings: [Operator?] = [
    .composite(
      """
      native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, \
      Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)
      """, Spelling.batchNorm),
    .composite(
      """
      _batch_norm_with_update_functional(Tensor input, Tensor? weight, Tensor? bias, \
      Tensor running_mean, Tensor running_var, float momentum, float eps) \
      -> (Tensor, Tensor, Tensor, Tensor, Tensor running_mean_out, Tensor running_var_out)
      """, Spelling.updatingBatchNorm),
    .composite(
      """
      var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, \
      bool keepdim=False) -> (Tensor, Tensor)
      """, Spelling.varianceAndMean),
    .composite(
      """
      empty_permuted(SymInt[] size, int[] physical_layout, *, \(Creation.placement)) -> Tensor
      """, Creation.filled(.integer(0))),
    .composite("round.decimals(Tensor self, *, int decimals) -> Tensor", Spelling.decimals),
    .composite(
      "scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor",
      Spelling.reducingScatter),
    .composite(
      """
      scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) \
      -> Tensor
      """, Spelling.reducingScatter),
    .composite("exp2(Tensor self) -> Tensor", Spelling.powerOfTwo),
    .composite("fmax(Tensor self, Tensor other) -> Tensor", Spelling.ofNumbers("maximum")),
    .composite("fmin(Tensor self, Tensor other) -> Tensor", Spelling.ofNumbers("minimum")),
    .composite(
      "permute_copy(Tensor self, int[] dims) -> Tensor",
      Reduction.rewriting("aten.permute.default")),
    .composite(
      "view_copy(Tensor self, SymInt[] size) -> Tensor", Reduction.rewriting("aten.view.default")),
    .composite(
      """
      as_strided_copy(Tensor self, SymInt[] size, SymInt[] stride, \
      SymInt? storage_offset=None) -> Tensor
      """, Reduction.rewriting("aten.as_strided.default")),
    .composite(
      """
      _embedding_bag_forward_only(Tensor weight, Tensor indices, Tensor offsets, \
      bool scale_grad_by_freq=False, int mode=0, bool sparse=False, \
      Tensor? per_sample_weights=None, bool include_last_offset=False, int padding_idx=-1) \
      -> (Tensor, Tensor, Tensor, Tensor)
      """, Reduction.rewriting("aten._embedding_bag.default")),
  ]
}
