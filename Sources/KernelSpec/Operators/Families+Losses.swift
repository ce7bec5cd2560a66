/// Losses as graphs of simpler operators. Sources: ATen/native/Loss.cpp, LossNLL.cpp and Distance.cpp.
enum Losses {
  private static func distance(_ call: OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> CheckedSpec.Argument
  {
    let difference = try graph.binary("sub", call.term("self"), call.term("target"))
    return try graph.unary("abs", difference)
  }

  @Sendable static func absolute(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    try graph.reduced(try distance(call, &graph), call)
  }

  @Sendable static func squared(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let difference = try graph.binary("sub", call.term("self"), call.term("target"))
    return try graph.reduced(try graph.binary("mul", difference, difference), call)
  }

  /// Quadratic up to `beta` and linear beyond, with slope 1.
  @Sendable static func smooth(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let beta = try call.real("beta")
    guard beta >= 0 else { throw call.fail("beta \(beta)", expected: "at least 0") }
    let size = try distance(call, &graph)
    if beta == 0 { return try graph.reduced(size, call) }
    let half = try graph.binary("mul", try graph.binary("mul", size, size), .number(0.5 / beta))
    let line = try graph.binary("sub", size, .number(0.5 * beta))
    let isNear = try graph.binary("lt", size, .number(beta))
    return try graph.reduced(try graph.choice(isNear, half, line), call)
  }

  /// Quadratic up to `delta` and linear beyond, with slope `delta`.
  @Sendable static func huber(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let delta = try call.real("delta")
    guard delta > 0 else { throw call.fail("delta \(delta)", expected: "more than 0") }
    let size = try distance(call, &graph)
    let half = try graph.binary("mul", try graph.binary("mul", size, size), .number(0.5))
    let line = try graph.binary(
      "mul", try graph.binary("sub", size, .number(0.5 * delta)), .number(delta))
    let isNear = try graph.binary("le", size, .number(delta))
    return try graph.reduced(try graph.choice(isNear, half, line), call)
  }

  /// `t·(log t - x)`, or `exp t·(t - x)` for a target of logarithms.
  @Sendable static func divergence(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (input, target) = (call.term("self"), call.term("target"))
    if call.flag("log_target") {
      let difference = try graph.binary("sub", target, input)
      let power = try graph.unary("exp", target)
      return try graph.reduced(try graph.binary("mul", power, difference), call)
    }
    let product = try graph.binary("mul", target, try graph.unary("log", target))
    let isZero = try graph.binary("eq", target, .number(0))
    let entropy = try graph.choice(isZero, .number(0), product)
    let cross = try graph.binary("mul", target, input)
    return try graph.reduced(try graph.binary("sub", entropy, cross), call)
  }

  /// Logarithms are at least -100, as in PyTorch.
  @Sendable static func binaryEntropy(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (input, target) = (call.term("self"), call.term("target"))
    let logarithm = try graph.atLeast(-100, try graph.unary("log", input))
    let other = try graph.atLeast(
      -100, try graph.unary("log1p", try graph.unary("neg", input)))
    let rest = try graph.binary("mul", try graph.binary("sub", target, .number(1)), other)
    let loss = try graph.binary("sub", rest, try graph.binary("mul", target, logarithm))
    return try weighted(loss, call, &graph)
  }

  private static func weighted(
    _ loss: CheckedSpec.Argument, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> [CheckedSpec.Value] {
    guard call.optionalTensor("weight") != nil else { return try graph.reduced(loss, call) }
    return try graph.reduced(try graph.binary("mul", loss, call.term("weight")), call)
  }

  /// `(1 - t)·x + w·(log(1 + exp(-|x|)) + max(-x, 0))` with `w = (pos_weight - 1)·t + 1`.
  @Sendable static func binaryEntropyOfLogits(
    _ call: inout OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let (input, target) = (call.term("self"), call.term("target"))
    let negated = try graph.unary("neg", input)
    let size = try graph.unary("neg", try graph.unary("abs", input))
    var tail = try graph.binary(
      "add", try graph.unary("log1p", try graph.unary("exp", size)),
      try graph.atLeast(0, negated))
    if call.optionalTensor("pos_weight") != nil {
      let extra = try graph.binary("sub", call.term("pos_weight"), .number(1))
      let factor = try graph.binary(
        "add", try graph.binary("mul", extra, target), .number(1))
      tail = try graph.binary("mul", tail, factor)
    }
    let rest = try graph.binary("sub", .number(1), target)
    let head = try graph.binary("mul", rest, input)
    return try weighted(try graph.binary("add", head, tail), call, &graph)
  }

  @Sendable static func hinge(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (input, target) = (call.term("self"), call.term("target"))
    let gap = try graph.atLeast(
      0, try graph.binary("sub", .number(try call.real("margin")), input))
    let isOther = try graph.binary("ne", target, .number(1))
    let isOne = try graph.binary("ne", target, .number(-1))
    let loss = try graph.binary(
      "add", try graph.choice(isOther, gap, .number(0)),
      try graph.choice(isOne, input, .number(0)))
    return try graph.reduced(loss, call)
  }

  @Sendable static func ranking(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let difference = try graph.binary("sub", call.term("input1"), call.term("input2"))
    let product = try graph.binary("mul", try graph.unary("neg", call.term("target")), difference)
    let loss = try graph.binary("add", product, .number(try call.real("margin")))
    return try graph.reduced(try graph.atLeast(0, loss), call)
  }

  private static func pairDistance(
    _ call: OperatorCall, _ first: String, _ second: String, _ graph: inout GraphBuilder
  ) throws(SpecError) -> CheckedSpec.Argument {
    let difference = try graph.binary("sub", call.term(first), call.term(second))
    let moved = try graph.binary("add", difference, .number(try call.real("eps")))
    let arguments: [String: CheckedSpec.Argument] = [
      "self": moved, "ord": call.term("p"), "dim": .integers([-1]),
    ]
    return .tensor(try graph.add("aten.linalg_vector_norm.default", arguments)[0])
  }

  @Sendable static func triplet(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let near = try pairDistance(call, "anchor", "positive", &graph)
    var far = try pairDistance(call, "anchor", "negative", &graph)
    if call.flag("swap") {
      let other = try pairDistance(call, "positive", "negative", &graph)
      far = .tensor(try graph.add("aten.minimum.default", ["self": far, "other": other])[0])
    }
    let difference = try graph.binary("sub", near, far)
    let loss = try graph.binary("add", difference, .number(try call.real("margin")))
    return try graph.reduced(try graph.atLeast(0, loss), call)
  }

  @Sendable static func cosine(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (one, two) = (call.term("input1"), call.term("input2"))
    let last = try call.tensor("target").rank
    let epsilon = CheckedSpec.Argument.number(1e-12)
    func dot(_ first: CheckedSpec.Argument, _ second: CheckedSpec.Argument) throws(SpecError)
      -> CheckedSpec.Argument
    {
      try graph.sum(try graph.binary("mul", first, second), last)
    }
    let lengths = try graph.binary(
      "mul", try graph.binary("add", try dot(one, one), epsilon),
      try graph.binary("add", try dot(two, two), epsilon))
    let similarity = try graph.binary(
      "div", try dot(one, two), try graph.unary("sqrt", lengths))
    let near = try graph.binary("sub", .number(1), similarity)
    let far = try graph.atLeast(
      0, try graph.binary("sub", similarity, .number(try call.real("margin"))))
    let isOne = try graph.binary("eq", call.term("target"), .number(1))
    let isOther = try graph.binary("eq", call.term("target"), .number(-1))
    let loss = try graph.binary(
      "add", try graph.choice(isOne, near, .number(0)),
      try graph.choice(isOther, far, .number(0)))
    return try graph.reduced(loss, call)
  }

  /// `Σ x₁·x₂` of vectors scaled to length 1, where lengths count as `eps` at least.
  @Sendable static func similarity(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    var scaled: [CheckedSpec.Argument] = []
    for name in ["x1", "x2"] {
      let arguments: [String: CheckedSpec.Argument] = [
        "self": call.term(name), "ord": .number(2), "dim": .integers([try call.integer("dim")]),
        "keepdim": .boolean(true),
      ]
      let length = try graph.add("aten.linalg_vector_norm.default", arguments)[0]
      let bounded = try graph.atLeast(try call.real("eps"), .tensor(length))
      scaled.append(try graph.binary("div", call.term(name), bounded))
    }
    let product = try graph.binary("mul", scaled[0], scaled[1])
    guard case .tensor(let value) = try graph.sum(product, try call.integer("dim")) else {
      return []
    }
    return [value]
  }
}

extension OperatorTable {
  static let losses: [Operator?] = [
    .composite(
      "l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", Losses.absolute),
    .composite(
      "mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor", Losses.squared),
    .composite(
      "smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.0) -> Tensor",
      Losses.smooth),
    .composite(
      "huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.0) -> Tensor",
      Losses.huber),
    .composite(
      "kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor",
      Losses.divergence),
    .composite(
      """
      binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) \
      -> Tensor
      """, Losses.binaryEntropy),
    .composite(
      """
      binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, \
      Tensor? pos_weight=None, int reduction=1) -> Tensor
      """, Losses.binaryEntropyOfLogits),
    .composite(
      """
      hinge_embedding_loss(Tensor self, Tensor target, float margin=1.0, int reduction=1) -> Tensor
      """, Losses.hinge),
    .composite(
      """
      margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, \
      int reduction=1) -> Tensor
      """, Losses.ranking),
    .composite(
      """
      triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, \
      float p=2.0, float eps=1e-06, bool swap=False, int reduction=1) -> Tensor
      """, Losses.triplet),
    .composite(
      """
      cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, \
      int reduction=1) -> Tensor
      """, Losses.cosine),
    .composite(
      "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor",
      Losses.similarity),
  ]
}
