/// Granary's own operators for the features of recommendation models, composed of ATen's.
/// `docs/recommendation.md` says what each computes.
enum Features {
  private typealias Term = GraphBuilder.Term

  /// `X·(XᵀY)`: the product of all pairs of features with `y`, without the matrix of all pairs.
  @Sendable static func interaction(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (x, y) = (try call.tensor("x"), try call.tensor("y"))
    guard x.rank == 3, y.rank == 2 || y.rank == 3 else {
      throw call.fail("the interaction of \(x) with \(y)", expected: "rank 3, and 2 or 3")
    }
    let columns = try graph.add(
      "aten.permute.default", ["self": call.term("x"), "dims": .integers([0, 2, 1])])
    let inner = try graph.add(
      "aten.matmul.default", ["self": .tensor(columns[0]), "other": call.term("y")])
    return try graph.add(
      "aten.matmul.default", ["self": call.term("x"), "other": .tensor(inner[0])])
  }

  /// The value of each identifier's key, `default` for one that is no key.
  @Sendable static func mapping(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (ids, keys) = (try call.tensor("ids"), try call.tensor("keys"))
    let values = try call.tensor("values")
    guard ids.dtype.isInteger, keys.dtype == ids.dtype, keys.rank == 1, keys.shape[0] > 0,
      values.shape == keys.shape
    else {
      throw call.fail(
        "map_id of \(ids) by \(keys) to \(values)",
        expected: "integers of one type, and keys and values of one rank and length")
    }
    let place = try atMost(
      keys.shape[0] - 1,
      .tensor(
        try graph.add(
          "aten.searchsorted.Tensor",
          ["sorted_sequence": call.term("keys"), "self": call.term("ids")])[0]), &graph)
    let isKey = try graph.binary("eq", try taken("keys", place, call, &graph), call.term("ids"))
    let found = try taken("values", place, call, &graph)
    let chosen = try graph.choice(isKey, found, call.term("default"))
    guard case .tensor(let result) = chosen else { return [] }
    guard graph.type(of: result).dtype == values.dtype else {
      throw call.fail("default does not fit \(values.dtype.rawValue)")
    }
    return [result]
  }

  /// Dense features side by side, each element as the number of its bucket, counted over all features.
  @Sendable static func buckets(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (features, boundaries) = (try call.tensors("features"), try call.tensor("boundaries"))
    let width = features.reduce(0) { $0 + ($1.shape.last ?? 0) }
    guard features.allSatisfy({ $0.rank == 2 }), boundaries.rank == 2, width > 0,
      boundaries.shape[0] == width
    else {
      throw call.fail(
        "\(features.count) features of \(width) columns with boundaries \(boundaries)",
        expected: "features of rank 2, and a row of boundaries for each column")
    }
    let merged = try graph.add(
      "aten.cat.default", ["tensors": call.term("features"), "dim": .integer(1)])
    let places = try graph.add(
      "aten.searchsorted.Tensor",
      [
        "sorted_sequence": call.term("boundaries"), "right": call.term("right"),
        "self": try transposed(.tensor(merged[0]), &graph),
      ])
    let first = try graph.binary(
      "mul", try counting(width, &graph), .scalar(.integer(Int64(boundaries.shape[1] + 1))))
    let own = try transposed(.tensor(places[0]), &graph)
    return try graph.add("aten.add.Tensor", ["self": own, "other": first])
  }

  /// At most `max_length` events of each batch, the first or the last, and the offsets of what is left.
  @Sendable static func truncation(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (values, offsets) = (try call.tensor("values"), try call.tensor("offsets"))
    let limit = try call.integer("max_length")
    guard values.rank == 1 || values.rank == 2, offsets.rank == 1, offsets.dtype == .i64,
      offsets.shape[0] > 1, values.shape[0] > 0, limit > 0
    else {
      throw call.fail(
        "\(values) at \(offsets), at most \(limit)",
        expected: "events of rank 1 or 2, i64 offsets of a batch at least, a positive max_length")
    }
    let batches = offsets.shape[0] - 1
    let begins = try slice(call.term("offsets"), from: 0, to: batches, &graph)
    let ends = try slice(call.term("offsets"), from: 1, to: batches + 1, &graph)
    let lengths = try graph.binary("sub", ends, begins)
    let kept = try atMost(limit, lengths, &graph)
    let newEnds = Term.tensor(
      try graph.add("aten.cumsum.default", ["self": kept, "dim": .integer(0)])[0])
    let zero = try graph.add(
      "aten.full.default",
      ["size": .integers([1]), "fill_value": .scalar(.integer(0)), "dtype": .dtype(.i64)])
    guard case .tensor(let last) = newEnds else { return [] }
    let newOffsets = try graph.add(
      "aten.cat.default", ["tensors": .tensors([zero[0], last]), "dim": .integer(0)])
    let skipped = try graph.binary("sub", lengths, kept)
    let sources = call.flag("keep_last") ? try graph.binary("add", begins, skipped) : begins
    let rows = try gathered(
      call, Kept(ends: newEnds, begins: .tensor(newOffsets[0]), sources: sources),
      rows: min(values.shape[0], batches * limit), batches: batches, &graph)
    return rows + newOffsets
  }

  /// Where the events that stay come from, batch by batch.
  private struct Kept {
    /// Where each batch ends, and all begin, in the result.
    var ends: Term
    var begins: Term
    /// Where the first event of each batch is among the given ones.
    var sources: Term
  }

  private static func gathered(
    _ call: OperatorCall, _ kept: Kept, rows: Int, batches: Int, _ graph: inout GraphBuilder
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let row = try counting(rows, &graph)
    let place = try graph.add(
      "aten.searchsorted.Tensor",
      ["sorted_sequence": kept.ends, "self": row, "right": .boolean(true)])
    let batch = try atMost(batches - 1, .tensor(place[0]), &graph)
    let distance = try graph.binary("sub", row, try taken(kept.begins, batch, &graph))
    let source = try graph.binary("add", try taken(kept.sources, batch, &graph), distance)
    let total = try slice(kept.ends, from: batches - 1, to: batches, &graph)
    var isEvent = try graph.binary("lt", row, total)
    let events = try taken("values", source, call, &graph)
    if try graph.type(of: events).rank == 2 {
      isEvent = .tensor(
        try graph.add("aten.unsqueeze.default", ["self": isEvent, "dim": .integer(1)])[0])
    }
    let zero = try graph.add("aten.zeros_like.default", ["self": events])
    guard case .tensor(let result) = try graph.choice(isEvent, events, .tensor(zero[0])) else {
      return []
    }
    return [result]
  }
}

// MARK: - Parts

extension Features {
  /// `0..<count`.
  private static func counting(_ count: Int, _ graph: inout GraphBuilder) throws(SpecError) -> Term
  {
    .tensor(
      try graph.add(
        "aten.arange.default",
        ["end": .scalar(.integer(Int64(count))), "dtype": .dtype(.i64)])[0])
  }

  private static func atMost(
    _ limit: Int, _ operand: Term, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    .tensor(
      try graph.add(
        "aten.clamp.default", ["self": operand, "max": .scalar(.integer(Int64(limit)))])[0])
  }

  private static func slice(
    _ operand: Term, from start: Int, to end: Int, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    let bounds: [String: Term] = ["start": .integer(start), "end": .integer(end)]
    return .tensor(
      try graph.add(
        "aten.slice.Tensor", bounds.merging(["self": operand, "dim": .integer(0)]) { $1 })[0])
  }

  private static func transposed(_ operand: Term, _ graph: inout GraphBuilder) throws(SpecError)
    -> Term
  {
    .tensor(
      try graph.add("aten.permute.default", ["self": operand, "dims": .integers([1, 0])])[0])
  }

  private static func taken(
    _ name: String, _ positions: Term, _ call: OperatorCall, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    try taken(call.term(name), positions, &graph)
  }

  /// The elements or rows at computed positions.
  private static func taken(
    _ operand: Term, _ positions: Term, _ graph: inout GraphBuilder
  ) throws(SpecError) -> Term {
    guard case .tensor(let places) = positions else {
      throw SpecError(.argument, "positions are a tensor")
    }
    return .tensor(
      try graph.add("aten.index.Tensor", ["self": operand, "indices": .tensors([places])])[0])
  }
}

extension OperatorTable {
  static let features: [Operator?] = [
    .primitive(
      "granary::class_position(Tensor target, int classes, int ignore_index=-100) -> Tensor",
      Likelihood.position),
    .composite("granary::fm_interaction(Tensor x, Tensor y) -> Tensor", Features.interaction),
    .composite(
      "granary::map_id(Tensor ids, Tensor keys, Tensor values, Scalar default=-1) -> Tensor",
      Features.mapping),
    .composite(
      """
      granary::merge_bucketize_dense(Tensor[] features, Tensor boundaries, *, \
      bool right=False) -> Tensor
      """, Features.buckets),
    .composite(
      """
      granary::batch_event_truncate(Tensor values, Tensor offsets, int max_length, *, \
      bool keep_last=False) -> (Tensor, Tensor)
      """, Features.truncation),
  ]
}
