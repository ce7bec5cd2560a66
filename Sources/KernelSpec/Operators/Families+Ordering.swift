/// Result types of sorting.
enum Ordering {
  static func sort(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    _ = try call.normalizeDimension(rank: type.rank)
    if call.arguments["stable"] != nil { call.arguments["stable"] = .boolean(true) }
    return [TensorType(type.dtype, type.shape), TensorType(.i64, type.shape)]
  }

  static func top(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimension = try call.normalizeDimension(rank: type.rank)
    let count = try call.integer("k")
    guard count >= 0, count <= (type.rank == 0 ? 1 : type.shape[dimension]), type.dtype != .bool
    else { throw call.fail("the top \(count) of \(type)") }
    // Sorted is one of the orders that PyTorch may give otherwise.
    call.arguments["sorted"] = .boolean(true)
    var shape = type.shape
    if type.rank > 0 { shape[dimension] = count }
    return [TensorType(type.dtype, shape), TensorType(.i64, shape)]
  }
}

extension OperatorTable {
  static let orderings: [Operator?] = [
    .primitive(
      "sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
      Ordering.sort),
    .composite(
      """
      sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) \
      -> (Tensor values, Tensor indices)
      """, Reduction.rewriting("aten.sort.default")),
    .composite("argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor") {
      (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      Array(try graph.add("aten.sort.default", call.arguments).suffix(1))
    },
    .primitive(
      """
      topk(Tensor self, SymInt k, int dim=-1, bool largest=True, bool sorted=True) \
      -> (Tensor values, Tensor indices)
      """, Ordering.top),
  ]
}
