/// Result types of matrix products and attention.
enum Contraction {
  /// That all tensors of `names` have one dtype that can be multiplied.
  static func sharedType(_ call: OperatorCall, _ names: [String]) throws(SpecError) -> DType {
    var shared: DType?
    for name in names {
      guard let type = call.optionalTensor(name) else { continue }
      guard type.dtype != .bool else { throw call.fail("\(name) is bool") }
      guard shared == nil || shared == type.dtype else {
        throw call.fail(
          "\(name) is \(type.dtype.rawValue)", expected: "\(shared?.rawValue ?? "") as the others")
      }
      shared = type.dtype
    }
    guard let shared else { throw SpecError(.argument, "no operand is a tensor") }
    return shared
  }

  /// The shape of the product of two matrices, or of two stacks of equally many.
  private static func product(
    _ call: OperatorCall, _ first: String, _ second: String, rank: Int
  ) throws(SpecError) -> TensorType {
    let (one, two) = (try call.tensor(first), try call.tensor(second))
    let dtype = try sharedType(call, [first, second])
    guard one.rank == rank, two.rank == rank else {
      throw call.fail("\(first) is \(one) and \(second) is \(two)", expected: "rank \(rank)")
    }
    guard one.shape[rank - 1] == two.shape[rank - 2], rank == 2 || one.shape[0] == two.shape[0]
    else {
      throw call.fail(
        "\(one) times \(two)", expected: "as many columns of \(first) as rows of \(second)")
    }
    let shape = Array(one.shape.dropLast()) + [two.shape[rank - 1]]
    return try TensorType.checked(dtype, shape)
  }

  static func mm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [try product(call, "self", "mat2", rank: 2)]
  }

  static func bmm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [try product(call, "self", "mat2", rank: 3)]
  }

  /// A product to which `self`, repeated to its shape, is added.
  private static func added(
    _ call: OperatorCall, _ first: String, _ second: String, rank: Int
  ) throws(SpecError) -> [TensorType] {
    _ = try sharedType(call, ["self", first, second])
    let result = try product(call, first, second, rank: rank)
    let bias = try call.tensor("self")
    guard try TypePromotion.broadcast(bias.shape, result.shape) == result.shape else {
      throw call.fail("self is \(bias)", expected: "something that broadcasts to \(result)")
    }
    if !result.dtype.isFloatingPoint {
      for name in ["alpha", "beta"] {
        if case .real? = call.optionalScalar(name) {
          throw call.fail("\(name) is real but the operands are \(result.dtype.rawValue)")
        }
      }
    }
    return [result]
  }

  static func addmm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try added(call, "mat1", "mat2", rank: 2)
  }

  static func baddbmm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try added(call, "batch1", "batch2", rank: 3)
  }

  static func linear(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (input, weight) = (try call.tensor("input"), try call.tensor("weight"))
    let dtype = try sharedType(call, ["input", "weight", "bias"])
    guard input.rank >= 1, weight.rank == 1 || weight.rank == 2,
      input.shape.last == weight.shape.last
    else {
      throw call.fail(
        "linear of \(input) with weight \(weight)",
        expected: "a weight of shape [out, \(input.shape.last ?? 0)]")
    }
    let features = Array(weight.shape.dropLast())
    if let bias = call.optionalTensor("bias") {
      guard bias.shape == features || bias.shape == [] else {
        throw call.fail("the bias is \(bias)", expected: "shape \(features)")
      }
    }
    return [try TensorType.checked(dtype, Array(input.shape.dropLast()) + features)]
  }

  static func matmul(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (one, two) = (try call.tensor("self"), try call.tensor("other"))
    let dtype = try sharedType(call, ["self", "other"])
    guard one.rank >= 1, two.rank >= 1, let inner = one.shape.last else {
      throw call.fail("matmul of \(one) and \(two)", expected: "rank 1 or more")
    }
    let rows = two.rank == 1 ? two.shape[0] : two.shape[two.rank - 2]
    guard inner == rows else {
      throw call.fail("\(one) times \(two)", expected: "\(inner) rows, not \(rows)")
    }
    var shape = try TypePromotion.broadcast(
      Array(one.shape.dropLast(2)), Array(two.shape.dropLast(2)))
    if one.rank > 1 { shape.append(one.shape[one.rank - 2]) }
    if two.rank > 1 { shape.append(two.shape[two.rank - 1]) }
    return [try TensorType.checked(dtype, shape)]
  }

  static func attention(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let query = try call.tensor("query")
    let (key, value) = (try call.tensor("key"), try call.tensor("value"))
    let dtype = try sharedType(call, ["query", "key", "value"])
    guard dtype.isFloatingPoint, query.rank >= 2, key.rank == query.rank, value.rank == query.rank
    else {
      throw call.fail(
        "attention of \(query), \(key) and \(value)", expected: "floating-point of one rank")
    }
    let rank = query.rank
    guard query.shape[rank - 1] == key.shape[rank - 1],
      key.shape[rank - 2] == value.shape[rank - 2]
    else {
      throw call.fail(
        "attention of \(query), \(key) and \(value)",
        expected: "query [L, E], key [S, E], value [S, V]")
    }
    guard case .real(0)? = call.optionalScalar("dropout_p") else {
      throw SpecError(.argument, "attention with dropout", expected: "dropout_p: 0.0")
    }
    let batch = try attentionBatch(call, query, key, value)
    try requireMask(call, query, key, batch)
    let shape = batch + [query.shape[rank - 2], value.shape[rank - 1]]
    return [try TensorType.checked(dtype, shape)]
  }

  /// The dimensions before the last two: equal, or with `enable_gqa` a divisor of the query's
  /// heads.
  private static func attentionBatch(
    _ call: OperatorCall, _ query: TensorType, _ key: TensorType, _ value: TensorType
  ) throws(SpecError) -> [Int] {
    let batch = Array(query.shape.dropLast(2))
    guard call.flag("enable_gqa"), let heads = batch.last else {
      let others = try TypePromotion.broadcast(
        Array(key.shape.dropLast(2)), Array(value.shape.dropLast(2)))
      return try TypePromotion.broadcast(batch, others)
    }
    let shared = key.shape[batch.count - 1]
    guard key.shape.dropLast(2) == value.shape.dropLast(2), shared > 0, heads % shared == 0,
      key.shape.prefix(batch.count - 1) == query.shape.prefix(batch.count - 1)
    else {
      throw call.fail(
        "grouped attention of \(query), \(key) and \(value)",
        expected: "heads of key and value that divide those of the query")
    }
    return batch
  }

  private static func requireMask(
    _ call: OperatorCall, _ query: TensorType, _ key: TensorType, _ batch: [Int]
  ) throws(SpecError) {
    guard let mask = call.optionalTensor("attn_mask") else { return }
    guard !call.flag("is_causal") else {
      throw SpecError(.argument, "both attn_mask and is_causal", expected: "one of them")
    }
    guard mask.dtype == .bool || mask.dtype == query.dtype else {
      throw call.fail("attn_mask is \(mask)", expected: "bool or \(query.dtype.rawValue)")
    }
    let rank = query.rank
    let scores = batch + [query.shape[rank - 2], key.shape[rank - 2]]
    guard try TypePromotion.broadcast(mask.shape, scores) == scores else {
      throw call.fail("attn_mask is \(mask)", expected: "it broadcasts to \(scores)")
    }
    try SpecLimits.check(query.dtype, scores)
  }
}

extension OperatorTable {
  static let contractions: [Operator?] = [
    .primitive("mm(Tensor self, Tensor mat2) -> Tensor", Contraction.mm),
    .primitive("bmm(Tensor self, Tensor mat2) -> Tensor", Contraction.bmm),
    .primitive(
      """
      addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor
      """, Contraction.addmm),
    .primitive(
      """
      baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1) \
      -> Tensor
      """, Contraction.baddbmm),
    .primitive(
      "linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", Contraction.linear),
    .primitive("matmul(Tensor self, Tensor other) -> Tensor", Contraction.matmul),
    .primitive(
      """
      scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, \
      Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, \
      bool enable_gqa=False) -> Tensor
      """, Contraction.attention),
  ]
}
