import KernelSpec

extension LoweringTable {
  /// Operators that read where data says. Positions must lie in `0..<extent`.
  static let gathers: [String: Rule] = [
    "aten.embedding.default": { try $0.embedding($1) },
    "aten.index_select.default": { try $0.indexSelect($1) },
    "aten.gather.default": { try $0.gather($1) },
  ]
}

extension Lowering {
  fileprivate func embedding(_ operation: Operation) throws -> [BufferID] {
    let weight = try tensor("weight", of: operation)
    let positions = try tensor("indices", of: operation)
    restrict(positions, to: .index(shape(of: weight)[0]))
    return [
      map(operation.result, name: "embedding") { axes in
        let at = axes.positions
        let row = Index.value(load(positions, Array(at.dropLast())))
        return load(weight, [row] + at.suffix(1))
      }
    ]
  }

  fileprivate func indexSelect(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let positions = try tensor("index", of: operation)
    let dimension = try operation.integer("dim")
    restrict(positions, to: .index(shape(of: input).isEmpty ? 1 : shape(of: input)[dimension]))
    return [
      map(operation.result, name: "selected") { axes in
        guard !axes.isEmpty else { return load(input, []) }
        var indices = axes.positions
        let isScalar = shape(of: positions).isEmpty
        indices[dimension] = .value(load(positions, isScalar ? [] : [indices[dimension]]))
        return load(input, indices)
      }
    ]
  }

  fileprivate func gather(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let positions = try tensor("index", of: operation)
    let dimension = try operation.integer("dim")
    restrict(positions, to: .index(shape(of: input).isEmpty ? 1 : shape(of: input)[dimension]))
    return [
      map(operation.result, name: "gathered") { axes in
        var indices = axes.positions
        guard !indices.isEmpty else { return load(input, []) }
        indices[dimension] = .value(load(positions, axes.positions))
        return load(input, indices)
      }
    ]
  }
}
