/// Losses of classes, as graphs of simpler operators. Source: ATen/native/LossNLL.cpp.
///
/// A kernel refuses a given target outside the classes, other than `ignore_index`, as PyTorch does; of a target
/// that the graph computes, it takes the nearest class.
enum Likelihood {
  typealias Term = CheckedSpec.Argument

  /// What the loss of each sample is made of.
  private struct Samples {
    /// The negative logarithm of the target's likelihood, weighted, and 0 where the target is ignored.
    var losses: Term
    /// The weight of each sample, 0 where the target is ignored.
    var weights: Term
  }

  /// The dimension of the classes: the second one, or the only one.
  private static func classDimension(_ type: TensorType) -> Int { type.rank > 1 ? 1 : 0 }

  /// Looks up each sample's class in `likelihoods`, logarithms along the dimension of the classes.
  private static func samples(
    _ likelihoods: Term, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Samples {
    let type = try graph.type(of: likelihoods)
    let target = try call.tensor("target")
    let dimension = classDimension(type)
    var expected = type.shape
    let classes = expected.remove(at: dimension)
    guard type.rank > 0, target.shape == expected, target.dtype == .i64, classes > 0 else {
      throw call.fail("the target is \(target)", expected: "i64\(expected)")
    }
    let ignored = Term.scalar(.integer(Int64(try call.integer("ignore_index"))))
    let isValid = try graph.binary("ne", call.term("target"), ignored)
    let position = Term.tensor(
      try graph.add(
        "granary.class_position.default",
        ["target": call.term("target"), "classes": .integer(classes), "ignore_index": ignored])[0])
    let column = try graph.add(
      "aten.unsqueeze.default", ["self": position, "dim": .integer(dimension)])
    let picked = try graph.add(
      "aten.gather.default",
      ["self": likelihoods, "dim": .integer(dimension), "index": .tensor(column[0])])
    let flat = try graph.add(
      "aten.squeeze.dims", ["self": .tensor(picked[0]), "dim": .integers([dimension])])
    var loss = try graph.unary("neg", .tensor(flat[0]))
    var weight = Term.number(1)
    if call.optionalTensor("weight") != nil {
      weight = try weights(at: position, call, &graph)
      loss = try graph.binary("mul", loss, weight)
    }
    let counted = try graph.choice(isValid, weight, .number(0))
    return Samples(
      losses: try graph.choice(isValid, loss, .number(0)),
      weights: try converted(counted, to: type.dtype, &graph))
  }

  /// `i64`, of the shape of the target.
  @Sendable static func position(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let target = try call.tensor("target")
    guard target.dtype == .i64, try call.integer("classes") > 0 else {
      throw call.fail("the target is \(target)", expected: "i64 and at least one class")
    }
    return [TensorType(.i64, target.shape)]
  }

  private static func converted(_ term: Term, to dtype: DType, _ graph: inout GraphBuilder)
    throws(SpecError) -> Term
  {
    .tensor(try graph.add("aten._to_copy.default", ["self": term, "dtype": .dtype(dtype)])[0])
  }

  /// The weight of the class at each position.
  private static func weights(
    at position: Term, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    let shape = try graph.type(of: position).shape
    let flat = try graph.add(
      "aten.view.default", ["self": position, "size": .integers([shape.reduce(1, *)])])
    let selected = try graph.add(
      "aten.index_select.default",
      ["self": call.term("weight"), "dim": .integer(0), "index": .tensor(flat[0])])
    return .tensor(
      try graph.add(
        "aten.view.default", ["self": .tensor(selected[0]), "size": .integers(shape)])[0])
  }

  private static func value(_ term: Term) throws(SpecError) -> CheckedSpec.Value {
    guard case .tensor(let value) = term else { throw SpecError(.argument, "not a tensor") }
    return value
  }

  /// The loss and the sum of the weights, which is 0 without a reduction.
  @Sendable static func forward(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let samples = try samples(call.term("self"), call, &graph)
    let dtype = try call.tensor("self").dtype
    let reduction = try call.integer("reduction")
    if reduction == 0 {
      let zero = try graph.add(
        "aten.full.default",
        ["size": .integers([]), "fill_value": .number(0), "dtype": .dtype(dtype)])
      return [try value(samples.losses), zero[0]]
    }
    let total = try graph.sum(samples.weights)
    let sum = try graph.sum(samples.losses)
    guard reduction == 1 else { return [try value(sum), try value(total)] }
    return [try value(try graph.binary("div", sum, total)), try value(total)]
  }

  @Sendable static func crossEntropy(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let type = try call.tensor("self")
    let target = try call.tensor("target")
    let smoothing = try call.real("label_smoothing")
    let dimension = classDimension(type)
    guard type.rank > 0, type.dtype.isFloatingPoint, smoothing >= 0, smoothing <= 1 else {
      throw call.fail("cross entropy of \(type) with smoothing \(smoothing)")
    }
    let logarithms = Term.tensor(
      try graph.add(
        "aten._log_softmax.default", ["self": call.term("self"), "dim": .integer(dimension)])[0])
    if target.dtype.isFloatingPoint {
      return try probabilities(logarithms, smoothing, call, &graph)
    }
    let samples = try samples(logarithms, call, &graph)
    let loss = try smoothed(samples, logarithms, smoothing, call, &graph)
    guard try call.integer("reduction") == 1 else { return try graph.reduced(loss, call) }
    let sum = try graph.sum(loss)
    return [try value(try graph.binary("div", sum, try graph.sum(samples.weights)))]
  }

  /// Mixes in the mean over all classes.
  private static func smoothed(
    _ samples: Samples, _ logarithms: Term, _ smoothing: Double, _ call: OperatorCall,
    _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    if smoothing == 0 { return samples.losses }
    let type = try graph.type(of: logarithms)
    let dimension = classDimension(type)
    let uniform = try graph.sum(try weighted(logarithms, call, &graph), dimension)
    let ignored = Term.scalar(.integer(Int64(try call.integer("ignore_index"))))
    let isValid = try graph.binary("ne", call.term("target"), ignored)
    let counted = try graph.choice(isValid, try graph.unary("neg", uniform), .number(0))
    return try graph.binary(
      "add", try graph.binary("mul", samples.losses, .number(1 - smoothing)),
      try graph.binary("mul", counted, .number(smoothing / Double(type.shape[dimension]))))
  }

  /// The product with the weights of the classes.
  private static func weighted(
    _ term: Term, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    guard let weight = call.optionalTensor("weight") else { return term }
    let type = try graph.type(of: term)
    let shape = type.shape.indices.map {
      $0 == classDimension(type) ? weight.elementCount : 1
    }
    let view = try graph.add(
      "aten.view.default", ["self": call.term("weight"), "size": .integers(shape)])
    return try graph.binary("mul", term, .tensor(view[0]))
  }

  /// The cross entropy with a target of probabilities; its mean is that over the samples.
  private static func probabilities(
    _ logarithms: Term, _ smoothing: Double, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let type = try graph.type(of: logarithms)
    let dimension = classDimension(type)
    guard try call.tensor("target").shape == type.shape else {
      throw call.fail("the target is \(try call.tensor("target"))", expected: "\(type.shape)")
    }
    var target = call.term("target")
    if smoothing > 0 {
      let share = smoothing / Double(type.shape[dimension])
      target = try graph.binary(
        "add", try graph.binary("mul", target, .number(1 - smoothing)), .number(share))
    }
    let product = try graph.binary("mul", logarithms, target)
    let sum = try graph.sum(try weighted(product, call, &graph), dimension)
    return try graph.reduced(try graph.unary("neg", sum), call)
  }
}

extension OperatorTable {
  static let likelihoods: [Operator?] = [
    .composite(
      """
      nll_loss_forward(Tensor self, Tensor target, Tensor? weight, int reduction, \
      SymInt ignore_index) -> (Tensor output, Tensor total_weight)
      """, Likelihood.forward),
    .composite(
      """
      nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, \
      SymInt ignore_index=-100) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      Array(try Likelihood.forward(&call, &graph).prefix(1))
    },
    .composite(
      """
      cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, \
      SymInt ignore_index=-100, float label_smoothing=0.0) -> Tensor
      """, Likelihood.crossEntropy),
  ]
}
