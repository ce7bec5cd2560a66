/// Norms as other norms, and the running statistics of batch norm.
extension Normalization {
  /// Batch norm with the new running statistics: `(1 - m)·old + m·new`, where the new variance is unbiased.
  @Sendable static func functionalBatchNorm(
    _ call: inout OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let running = ["running_mean", "running_var"]
    guard call.flag("training") else {
      let results = try graph.add(
        "aten._native_batch_norm_legit_no_training.default", call.arguments)
      var values: [CheckedSpec.Value] = []
      for name in running { values.append(try call.value(name)) }
      return results + values
    }
    let results = try graph.add("aten._native_batch_norm_legit.no_stats", call.arguments)
    let rank = try call.tensor("input").rank
    let dimensions = CheckedSpec.Argument.integers((0..<rank).filter { $0 != 1 })
    let moments = [
      try graph.add("aten.mean.dim", ["self": call.term("input"), "dim": dimensions]),
      try graph.add(
        "aten.var.correction",
        ["self": call.term("input"), "dim": dimensions, "correction": .scalar(.integer(1))]),
    ]
    let momentum = try call.real("momentum")
    var updated: [CheckedSpec.Value] = []
    for (name, moment) in zip(running, moments) {
      let old = try graph.binary("mul", call.term(name), .number(1 - momentum))
      let new = try graph.binary("mul", .tensor(moment[0]), .number(momentum))
      if case .tensor(let value) = try graph.binary("add", old, new) { updated.append(value) }
    }
    return results + updated
  }

  /// A group norm with a group for each channel, or batch norm with the given statistics.
  @Sendable static func instanceNorm(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let type = try call.tensor("input")
    guard type.rank >= 2 else { throw call.fail("instance_norm of \(type)", expected: "rank 2 up") }
    guard call.flag("use_input_stats") else {
      let target = "aten._native_batch_norm_legit_no_training.default"
      return Array(try graph.add(target, call.arguments).prefix(1))
    }
    call.arguments["group"] = .integer(type.shape[1])
    call.arguments["N"] = .integer(type.shape[0])
    call.arguments["C"] = .integer(type.shape[1])
    call.arguments["HxW"] = .integer(type.shape.dropFirst(2).reduce(1, *))
    return Array(try graph.add("aten.native_group_norm.default", call.arguments).prefix(1))
  }
}
