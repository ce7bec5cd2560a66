/// Result types of operators that arrange elements anew, and of lookups.
enum Arrangement {
  static func cat(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let types = try call.tensors("tensors")
    // PyTorch skips empty vectors, whatever the rank of the others; their dtype still counts.
    let joined = types.filter { $0.shape != [0] }
    guard let first = joined.first ?? types.first, first.rank > 0 else {
      throw call.fail("cat of scalars")
    }
    let dimension = try call.normalizeDimension(rank: first.rank)
    var shape = first.shape
    shape[dimension] = 0
    let dtype = types.dropFirst().reduce(types[0].dtype) { TypePromotion.promote($0, $1.dtype) }
    for type in joined {
      guard type.rank == first.rank,
        shape.indices.allSatisfy({ $0 == dimension || type.shape[$0] == shape[$0] })
      else {
        throw call.fail("cat of \(first) and \(type)", expected: "equal other dimensions")
      }
      shape[dimension] += type.shape[dimension]
    }
    return [try TensorType.checked(dtype, shape)]
  }

  /// A concatenation of the tensors, each with a new dimension.
  static func stack(_ call: inout OperatorCall, _ graph: inout GraphBuilder) throws(SpecError)
    -> [CheckedSpec.Value]
  {
    let types = try call.tensors("tensors")
    guard let first = types.first, case .tensors(let values)? = call.arguments["tensors"] else {
      throw call.fail("stack of nothing")
    }
    let dimension = try call.normalizeDimension(rank: first.rank + 1)
    for type in types where type.shape != first.shape {
      throw call.fail("stack of \(first) and \(type)", expected: "equal shapes")
    }
    var parts: [CheckedSpec.Value?] = []
    for value in values.compactMap({ $0 }) {
      parts += try graph.add(
        "aten.unsqueeze.default", ["self": .tensor(value), "dim": .integer(dimension)])
    }
    return try graph.add(
      "aten.cat.default", ["tensors": .tensors(parts), "dim": .integer(dimension)])
  }

  static func pad(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let amounts = try call.integers("pad")
    guard amounts.count % 2 == 0, amounts.count / 2 <= type.rank else {
      throw call.fail("pad \(amounts) of \(type)", expected: "two amounts for a dimension")
    }
    var shape = type.shape
    for index in 0..<(amounts.count / 2) {
      let dimension = type.rank - 1 - index
      shape[dimension] += amounts[2 * index] + amounts[2 * index + 1]
      guard shape[dimension] >= 0 else { throw call.fail("pad \(amounts) of \(type)") }
    }
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func flip(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard try !call.integers("dims").isEmpty else {
      return [TensorType(type.dtype, type.shape)]
    }
    _ = try call.normalizeDimensions("dims", rank: type.rank)
    return [TensorType(type.dtype, type.shape)]
  }

  static func `repeat`(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let counts = try call.integers("repeats")
    guard counts.count >= type.rank, counts.allSatisfy({ $0 >= 0 }) else {
      throw call.fail("repeats \(counts) of \(type)", expected: "a count for each dimension")
    }
    let padded = [Int](repeating: 1, count: counts.count - type.rank) + type.shape
    return [try TensorType.checked(type.dtype, zip(padded, counts).map { $0 * $1 })]
  }

  /// `_to_copy`: another dtype.
  static func convert(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    return [TensorType(call.optionalDType() ?? type.dtype, type.shape)]
  }

  /// `copy`: the values of `src` in the type of `self`.
  @Sendable static func copy(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let type = try call.tensor("self")
    let source = try graph.add(
      "aten._to_copy.default",
      ["self": .tensor(try call.value("src")), "dtype": .dtype(type.dtype)])
    return try graph.add(
      "aten.expand.default", ["self": .tensor(source[0]), "size": .integers(type.shape)])
  }

  static func indices(_ call: OperatorCall, _ name: String) throws(SpecError)
    -> TensorType
  {
    let type = try call.tensor(name)
    guard type.dtype == .i64 || type.dtype == .i32 else {
      throw call.fail("\(name) is \(type)", expected: "i64 or i32")
    }
    return type
  }

  static func embedding(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let weight = try call.tensor("weight")
    let positions = try indices(call, "indices")
    guard weight.rank == 2 else { throw call.fail("the weight is \(weight)", expected: "rank 2") }
    // It has influence only on gradients.
    call.arguments["padding_idx"] = .integer(-1)
    return [try TensorType.checked(weight.dtype, positions.shape + [weight.shape[1]])]
  }

  static func indexSelect(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let positions = try indices(call, "index")
    guard positions.rank <= 1, type.rank > 0 || positions.elementCount == 1 else {
      throw call.fail("index_select of \(type) with \(positions)", expected: "an index of rank 1")
    }
    let dimension = try call.normalizeDimension(rank: type.rank)
    var shape = type.shape
    if type.rank > 0 { shape[dimension] = positions.elementCount }
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func gather(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let positions = try indices(call, "index")
    let dimension = try call.normalizeDimension(rank: type.rank)
    guard positions.rank == type.rank,
      type.shape.indices.allSatisfy({ $0 == dimension || positions.shape[$0] <= type.shape[$0] })
    else {
      throw call.fail("gather of \(type) with \(positions)", expected: "an index that fits")
    }
    return [TensorType(type.dtype, positions.shape)]
  }
}

extension OperatorTable {
  static let shapes: [Operator?] = [
    .primitive("cat(Tensor[] tensors, int dim=0) -> Tensor", Arrangement.cat),
    .composite("stack(Tensor[] tensors, int dim=0) -> Tensor", Arrangement.stack),
    .primitive(
      "constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", Arrangement.pad),
    .primitive(
      "flip(Tensor self, int[] dims) -> Tensor",
      identity: { call, _ in call.optionalIntegers("dims") == [] }, Arrangement.flip),
    .primitive(
      "repeat(Tensor self, SymInt[] repeats) -> Tensor", identity: View.keepsType,
      Arrangement.repeat),
    .primitive(
      """
      _to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, \
      Device? device=None, bool? pin_memory=None, bool non_blocking=False, \
      MemoryFormat? memory_format=None) -> Tensor
      """, identity: View.keepsType, Arrangement.convert),
    .composite(
      "copy(Tensor self, Tensor src, bool non_blocking=False) -> Tensor", Arrangement.copy),
  ]

  static let indexing: [Operator?] = [
    .primitive(
      """
      embedding(Tensor weight, Tensor indices, SymInt padding_idx=-1, \
      bool scale_grad_by_freq=False, bool sparse=False) -> Tensor
      """, Arrangement.embedding),
    .primitive(
      "index_select(Tensor self, int dim, Tensor index) -> Tensor", Arrangement.indexSelect),
    .primitive(
      "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
      Arrangement.gather),
  ]
}
