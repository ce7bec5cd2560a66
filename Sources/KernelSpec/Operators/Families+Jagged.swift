/// Operators of FBGEMM on jagged tensors: rows of all batches behind each other, and the offsets where each batch
/// begins. They are composed of padding, a dense operator, and taking the padding away.
///
/// Source: FBGEMM, fbgemm_gpu/src/jagged_tensor_ops. Rows of a batch beyond `max_L` count as absent, and give zero.
enum Jagged {
  private static func check(
    _ call: OperatorCall, _ values: TensorType, _ offsets: TensorType, _ length: Int
  ) throws(SpecError) {
    guard values.rank == 2, values.dtype.isFloatingPoint, offsets.rank == 1,
      offsets.dtype == .i64, offsets.shape[0] > 0, length > 0
    else {
      throw call.fail(
        "\(call.schema.name) of \(values) with offsets \(offsets) and max_L \(length)",
        expected: "real values of rank 2, i64 offsets of rank 1, and a positive max_L")
    }
  }

  /// `[B, max_L, D]` of jagged values.
  private static func padded(
    _ call: OperatorCall, _ graph: inout GraphBuilder, _ name: String, with padding: Double
  ) throws(SpecError) -> GraphBuilder.Term {
    let length = try call.integer("max_L")
    try check(call, try call.tensor(name), try call.tensor("x_offsets"), length)
    let arguments: [String: GraphBuilder.Term] = [
      "values": call.term(name), "offsets": .tensors([try call.value("x_offsets")]),
      "max_lengths": .integers([length]), "padding_value": .number(padding),
    ]
    return .tensor(
      try graph.add("aten._jagged_to_padded_dense_forward.default", arguments)[0])
  }

  /// As many rows as `name` has, of a dense `[B, max_L, D]`.
  private static func unpadded(
    _ call: OperatorCall, _ graph: inout GraphBuilder, _ dense: GraphBuilder.Term, like name: String
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let offsets = try call.value("x_offsets")
    let arguments: [String: GraphBuilder.Term] = [
      "dense": dense, "offsets": .tensors([offsets]),
      "total_L": .integer(try call.tensor(name).shape[0]),
    ]
    return try graph.add("aten._padded_dense_to_jagged_forward.default", arguments) + [offsets]
  }

  /// Softmax over the rows of each batch, column by column.
  @Sendable static func softmax(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let scores = try padded(call, &graph, "values", with: -.infinity)
    let shares = try graph.add("aten.softmax.int", ["self": scores, "dim": .integer(1)])
    return try unpadded(call, &graph, .tensor(shares[0]), like: "values")
  }

  /// The rows of each batch times the matrix of that batch.
  @Sendable static func denseProduct(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let rows = try padded(call, &graph, "x_values", with: 0)
    let product = try graph.add("aten.bmm.default", ["self": rows, "mat2": call.term("y")])
    return try unpadded(call, &graph, .tensor(product[0]), like: "x_values")
  }

  /// `XᵀY` of the rows of each batch.
  @Sendable static func product(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let (first, second) = (try call.tensor("x_values"), try call.tensor("y_values"))
    guard first.shape.first == second.shape.first else {
      throw call.fail("\(first) and \(second)", expected: "as many rows of both")
    }
    let rows = try padded(call, &graph, "x_values", with: 0)
    let columns = try graph.add(
      "aten.permute.default", ["self": rows, "dims": .integers([0, 2, 1])])
    let others = try padded(call, &graph, "y_values", with: 0)
    return try graph.add("aten.bmm.default", ["self": .tensor(columns[0]), "mat2": others])
  }
}

extension OperatorTable {
  static let jaggedTensors: [Operator?] = [
    .composite(
      "fbgemm::jagged_softmax(Tensor values, Tensor x_offsets, int max_L) -> (Tensor, Tensor)",
      Jagged.softmax),
    .composite(
      """
      fbgemm::jagged_dense_bmm(Tensor x_values, Tensor x_offsets, Tensor y, int max_L) \
      -> (Tensor, Tensor)
      """, Jagged.denseProduct),
    .composite(
      """
      fbgemm::jagged_jagged_bmm(Tensor x_values, Tensor y_values, Tensor x_offsets, int max_L) \
      -> Tensor
      """, Jagged.product),
  ]
}
