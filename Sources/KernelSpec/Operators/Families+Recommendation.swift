/// Result types of operators of recommendation models: bags, buckets and jagged tensors.
enum Recommendation {
  /// Results: the bags, the bag of each position, the number of positions of each bag, and the position that a
  /// maximum came from.
  static func bag(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let weight = try call.tensor("weight")
    let positions = try Arrangement.indices(call, "indices")
    let offsets = try Arrangement.indices(call, "offsets")
    let mode = try call.integer("mode")
    guard weight.rank == 2, weight.dtype.isFloatingPoint, positions.rank == 1, offsets.rank == 1,
      (0...2).contains(mode), offsets.dtype == positions.dtype
    else {
      throw call.fail(
        "an embedding bag of \(weight) at \(positions) from \(offsets)",
        expected: "rank 2, 1 and 1, and a mode of 0 to 2")
    }
    if let factors = call.optionalTensor("per_sample_weights") {
      guard mode == 0, factors.shape == positions.shape, factors.dtype == weight.dtype else {
        throw call.fail(
          "per_sample_weights is \(factors)", expected: "mode 0 and \(positions.shape)")
      }
    }
    let count = offsets.elementCount - (call.flag("include_last_offset") ? 1 : 0)
    guard count >= 0 else { throw call.fail("include_last_offset without offsets") }
    let bags = TensorType(.i64, [count])
    let output = try TensorType.checked(weight.dtype, [count, weight.shape[1]])
    return [
      output, TensorType(.i64, positions.shape), bags,
      mode == 2 ? TensorType(.i64, output.shape) : bags,
    ]
  }

  @Sendable static func plainBag(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    if call.optionalInteger("padding_idx") == nil { call.arguments["padding_idx"] = .integer(-1) }
    return try graph.add("aten._embedding_bag.default", call.arguments)
  }

  /// The dtype of positions among boundaries.
  private static func placeType(_ call: OperatorCall) -> DType {
    call.flag("out_int32") ? .i32 : .i64
  }

  static func bucketize(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, boundaries) = (try call.tensor("self"), try call.tensor("boundaries"))
    guard boundaries.rank == 1 else {
      throw call.fail("the boundaries are \(boundaries)", expected: "rank 1")
    }
    return [TensorType(placeType(call), type.shape)]
  }

  static func search(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, sequence) = (try call.tensor("self"), try call.tensor("sorted_sequence"))
    guard sequence.rank > 0,
      sequence.rank == 1
        || (sequence.rank == type.rank && sequence.shape.dropLast() == type.shape.dropLast())
    else { throw call.fail("searchsorted of \(type) in \(sequence)") }
    switch call.optionalString("side") {
    case "right": call.arguments["right"] = .boolean(true)
    case nil: break
    case "left":
      guard !call.flag("right") else { throw call.fail("side is left and right is true") }
    default: throw call.fail("an unknown side", expected: "left or right")
    }
    call.arguments["side"] = CheckedSpec.Argument.none
    if let order = call.optionalTensor("sorter") {
      guard order.dtype == .i64, order.shape == sequence.shape else {
        throw call.fail("sorter is \(order)", expected: "i64\(sequence.shape)")
      }
    }
    return [TensorType(placeType(call), type.shape)]
  }

  /// The only offsets of a jagged tensor.
  private static func offsets(_ call: OperatorCall) throws(SpecError) -> TensorType {
    let types = try call.tensors("offsets")
    guard types.count == 1, types[0].rank == 1, types[0].dtype == .i64, types[0].shape[0] > 0
    else { throw call.fail("the offsets", expected: "one i64 tensor of rank 1") }
    return types[0]
  }

  static func padded(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, offsets) = (try call.tensor("values"), try offsets(call))
    let lengths = try call.integers("max_lengths")
    guard type.rank == 1 || type.rank == 2, lengths.count == 1, lengths[0] >= 0 else {
      throw call.fail("a jagged \(type) of lengths \(lengths)", expected: "rank 1 or 2")
    }
    let shape = [offsets.shape[0] - 1, lengths[0]] + type.shape.dropFirst()
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func jagged(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, offsets) = (try call.tensor("dense"), try offsets(call))
    guard type.rank == 2 || type.rank == 3, offsets.shape[0] == type.shape[0] + 1 else {
      throw call.fail("\(type) with offsets \(offsets)", expected: "rank 2 or 3")
    }
    guard let count = call.optionalInteger("total_L"), count >= 0 else {
      throw SpecError(.argument, "total_L is missing", expected: "the number of rows")
    }
    return [try TensorType.checked(type.dtype, [count] + type.shape.dropFirst(2))]
  }
}

extension OperatorTable {
  private static let bags = """
    (Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, \
    bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False
    """

  static let recommendations: [Operator?] = [
    .primitive(
      "_embedding_bag\(bags), int padding_idx=-1) -> (Tensor, Tensor, Tensor, Tensor)",
      Recommendation.bag),
    .composite(
      "embedding_bag\(bags)) -> (Tensor, Tensor, Tensor, Tensor)", Recommendation.plainBag),
    .composite(
      """
      embedding_bag.padding_idx(Tensor weight, Tensor indices, Tensor offsets, \
      bool scale_grad_by_freq, int mode, bool sparse, Tensor? per_sample_weights, \
      bool include_last_offset, int? padding_idx) -> (Tensor, Tensor, Tensor, Tensor)
      """, Recommendation.plainBag),
    .primitive(
      """
      bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, \
      bool right=False) -> Tensor
      """, Recommendation.bucketize),
    .primitive(
      """
      searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, \
      bool right=False, str? side=None, Tensor? sorter=None) -> Tensor
      """, Recommendation.search),
    .primitive(
      """
      _jagged_to_padded_dense_forward(Tensor values, Tensor[] offsets, SymInt[] max_lengths, \
      float padding_value=0.0) -> Tensor
      """, Recommendation.padded),
    .primitive(
      """
      _padded_dense_to_jagged_forward(Tensor dense, Tensor[] offsets, SymInt? total_L=None) \
      -> Tensor
      """, Recommendation.jagged),
    .primitive("logcumsumexp(Tensor self, int dim) -> Tensor") {
      (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      _ = try call.normalizeDimension(rank: type.rank)
      return try Pointwise.floatingOnly(&call)
    },
  ]
}
