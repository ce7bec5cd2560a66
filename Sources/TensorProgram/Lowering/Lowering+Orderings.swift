import KernelSpec

extension LoweringTable {
  static let orderings: [String: Rule] = [
    "aten.sort.default": { lowering, operation in
      try lowering.ordered(operation, isDescending: operation.boolean("descending"))
    },
    "aten.topk.default": { lowering, operation in
      try lowering.ordered(operation, isDescending: operation.boolean("largest"))
    },
  ]
}

extension Lowering {
  /// The first elements in their order, and where they were.
  fileprivate func ordered(_ operation: Operation, isDescending: Bool) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimension = try operation.integer("dim")
    let shape = shape(of: input)
    guard !shape.isEmpty else {
      return [
        map(operation.results[0]) { _ in load(input, []) }, zeros(operation.results[1]),
      ]
    }
    let order = order(
      input, along: dimension, count: operation.result.shape[dimension],
      isDescending: isDescending)
    let values = map(operation.results[0], name: "sorted") { axes in
      var at = axes.positions
      at[dimension] = load(order, at).position(within: shape[dimension])
      return load(input, at)
    }
    return [values, order]
  }
}
