/// Where the result of indexing by several tensors has their common shape.
package struct IndexPlan {
  /// The shape that the index tensors broadcast to.
  package let indexShape: [Int]
  /// The position of that shape in the result: that of the first index when all are neighbours, else 0.
  package let place: Int
  /// The shape of the result.
  package let shape: [Int]

  /// - Parameter types: the type of each index, `nil` for a dimension that is kept whole.
  /// - Throws: `SpecError` for indices that do not fit `shape`.
  package init(_ shape: [Int], _ types: [TensorType?]) throws(SpecError) {
    let dimensions = types.indices.filter { types[$0] != nil }
    guard let first = dimensions.first, let last = dimensions.last, types.count <= shape.count
    else { throw SpecError(.argument, "\(types.count) indices of a tensor of rank \(shape.count)") }
    var indexShape: [Int] = []
    for case .some(let type) in types {
      guard type.dtype == .i64 || type.dtype == .i32 else {
        throw SpecError(
          .type, "an index is \(type)",
          expected: "i64 or i32; the positions of a mask are those that nonzero gives")
      }
      indexShape = try TypePromotion.broadcast(indexShape, type.shape)
    }
    let areNeighbours = last - first + 1 == dimensions.count
    place = areNeighbours ? first : 0
    var kept = shape.indices.filter { !dimensions.contains($0) }.map { shape[$0] }
    kept.insert(contentsOf: indexShape, at: place)
    self.indexShape = indexShape
    self.shape = kept
  }
}

/// Result types of operators that write where data says, and of those that read so by lists of indices.
enum Scattering {
  private static func indexTypes(_ call: OperatorCall) throws(SpecError) -> [TensorType?] {
    guard case .tensors(let values)? = call.arguments["indices"] else {
      throw SpecError(.argument, "indices is not a list of tensors")
    }
    return values.map { $0.flatMap { call.types[$0] } }
  }

  static func index(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    return [
      try TensorType.checked(type.dtype, try IndexPlan(type.shape, try indexTypes(call)).shape)
    ]
  }

  /// `index_put`, where one mask in place of indices takes a value for all of its positions.
  static func indexPut(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, values) = (try call.tensor("self"), try call.tensor("values"))
    guard type.dtype == values.dtype else {
      throw call.fail("values is \(values)", expected: type.dtype.rawValue)
    }
    let indices = try indexTypes(call)
    if indices.count == 1, let mask = indices[0], mask.dtype == .bool {
      guard Array(type.shape.prefix(mask.rank)) == mask.shape, values.elementCount == 1 else {
        throw call.fail(
          "index_put of \(values) by the mask \(mask)", expected: "one value for all positions")
      }
      return [TensorType(type.dtype, type.shape)]
    }
    let shape = try IndexPlan(type.shape, indices).shape
    guard try TypePromotion.broadcast(values.shape, shape) == shape else {
      throw call.fail("values is \(values)", expected: "it broadcasts to \(shape)")
    }
    return [TensorType(type.dtype, type.shape)]
  }

  /// `scatter` along `dim`: the index must fit into `self` elsewhere, and into `src`.
  static func along(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let index = try call.tensor("index")
    guard index.dtype == .i64 else { throw call.fail("index is \(index)", expected: "i64") }
    let dimension = try call.normalizeDimension(rank: type.rank)
    let isEmpty = index.elementCount == 0
    let fits = { (shape: [Int], along: Bool) in
      shape.indices.allSatisfy { (along && $0 == dimension) || index.shape[$0] <= shape[$0] }
    }
    guard isEmpty || (index.rank == type.rank && fits(type.shape, true)) else {
      throw call.fail(
        "\(call.schema.name) of \(index) into \(type)", expected: "an index that fits")
    }
    if let source = call.optionalTensor("src") {
      guard source.dtype == type.dtype, isEmpty || source.rank == index.rank,
        isEmpty || fits(source.shape, false)
      else { throw call.fail("src is \(source)", expected: "\(index.shape) at least") }
    }
    let reductions = ["sum", "prod", "mean", "amax", "amin"]
    if let reduction = call.optionalString("reduce"), !reductions.contains(reduction) {
      throw SpecError(
        .argument, "reduce is \"\(reduction)\"", expected: reductions.joined(separator: ", "))
    }
    return [TensorType(type.dtype, type.shape)]
  }

  static func masked(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, mask) = (try call.tensor("self"), try call.tensor("mask"))
    let source = try call.tensor("source")
    guard mask.dtype == .bool, source.dtype == type.dtype else {
      throw call.fail("masked_scatter of \(source) by \(mask) into \(type)")
    }
    let shape = try TypePromotion.broadcast(type.shape, mask.shape)
    return [try TensorType.checked(type.dtype, shape)]
  }

  /// As many rows as there are elements, and how many of them hold a position.
  static func nonzero(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    return [
      try TensorType.checked(.i64, [type.elementCount, type.rank]), TensorType(.i64, []),
    ]
  }
}

extension OperatorTable {
  static let scatters: [Operator?] =
    [
      "scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      "scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
      "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      """
      scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, \
      bool include_self=True) -> Tensor
      """,
    ].map { .primitive($0, Scattering.along) } + [
      .primitive("index.Tensor(Tensor self, Tensor?[] indices) -> Tensor", Scattering.index),
      .primitive(
        """
        index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor
        """, Scattering.indexPut),
      .primitive(
        "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor", Scattering.masked),
      .primitive("nonzero(Tensor self) -> (Tensor, Tensor)", Scattering.nonzero),
    ]
}
