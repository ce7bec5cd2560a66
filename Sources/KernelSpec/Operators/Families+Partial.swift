/// Result types of views by strides, and of copies of which a part is replaced.
enum PartialWrite {
  /// That `src` has the shape and dtype of the part.
  private static func require(_ call: OperatorCall, _ part: TensorType) throws(SpecError) {
    let source = try call.tensor("src")
    guard source.shape == part.shape, source.dtype == part.dtype else {
      throw call.fail("src is \(source)", expected: "\(part)")
    }
  }

  static func slice(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try require(call, try View.slice(&call)[0])
    return try Pointwise.same(&call)
  }

  static func select(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try require(call, try View.select(&call)[0])
    return try Pointwise.same(&call)
  }

  static func diagonal(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let first = try call.normalizeDimension("dim1", rank: type.rank)
    let second = try call.normalizeDimension("dim2", rank: type.rank)
    guard type.rank >= 2, first != second else {
      throw call.fail("diagonal of \(type) along \(first) and \(second)", expected: "two of them")
    }
    let offset = try call.integer("offset")
    let (rows, columns) = (type.shape[first], type.shape[second])
    let length = offset >= 0 ? min(rows, columns - offset) : min(rows + offset, columns)
    let kept = type.shape.indices.filter { $0 != first && $0 != second }.map { type.shape[$0] }
    return [TensorType(type.dtype, kept + [max(length, 0)])]
  }

  /// `as_strided` of a contiguous tensor: the strides count its own elements.
  static func strided(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let (size, strides) = (try call.integers("size"), try call.integers("stride"))
    guard type.strides == nil else {
      throw call.fail("as_strided of \(type)", expected: "a contiguous tensor")
    }
    let result = try TensorType.checked(type.dtype, size)
    try SpecLimits.check(type.dtype, size, strides: strides)
    let offset = call.optionalInteger("storage_offset") ?? 0
    call.arguments["storage_offset"] = .integer(offset)
    let last = zip(size, strides).reduce(offset) { $0 + ($1.0 - 1) * $1.1 }
    guard offset >= 0, result.elementCount == 0 || last < type.elementCount else {
      throw call.fail("as_strided beyond the elements of \(type)")
    }
    return [result]
  }

  static func resized(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [try TensorType.checked(try call.tensor("self").dtype, try call.integers("size"))]
  }

  @Sendable static func only(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    call.arguments["size"] = .integers([])
    return try graph.add("aten.view.default", call.arguments)
  }
}

extension OperatorTable {
  static let partialWrites: [Operator?] = [
    .primitive(
      """
      slice_scatter(Tensor self, Tensor src, int dim=0, SymInt? start=None, SymInt? end=None, \
      SymInt step=1) -> Tensor
      """, PartialWrite.slice),
    .primitive(
      "select_scatter(Tensor self, Tensor src, int dim, SymInt index) -> Tensor",
      PartialWrite.select),
    .primitive(
      "diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor",
      PartialWrite.diagonal),
    .primitive(
      """
      as_strided(Tensor self, SymInt[] size, SymInt[] stride, SymInt? storage_offset=None) \
      -> Tensor
      """, PartialWrite.strided),
    .primitive(
      "resize_(Tensor self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor",
      identity: View.keepsType, PartialWrite.resized),
    .composite("_local_scalar_dense(Tensor self) -> Tensor", PartialWrite.only),
  ]
}
