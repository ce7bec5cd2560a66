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
  /// The position that an element names.
  ///
  /// A kernel refuses an input with a position outside of its table before it starts. It cannot refuse a computed
  /// one, so that is moved to the nearest position inside: what PyTorch refuses may give any value, but never
  /// touches other memory.
  private func position(in positions: BufferID, _ at: [Index], within extent: Int) -> Index {
    let value = load(positions, at)
    let source = origins[positions].map { type(of: inputs[$0]).dtype }
    let isChecked = source.map { $0.isInteger && $0 != .bool } ?? false
    return isChecked ? .value(value) : value.cast(to: .i64).position(within: extent)
  }

  fileprivate func embedding(_ operation: Operation) throws -> [BufferID] {
    let weight = try tensor("weight", of: operation)
    let positions = try tensor("indices", of: operation)
    let rows = shape(of: weight)[0]
    restrict(positions, to: .index(rows))
    return [
      map(operation.result, name: "embedding") { axes in
        let at = axes.positions
        let row = position(in: positions, Array(at.dropLast()), within: rows)
        return load(weight, [row] + at.suffix(1))
      }
    ]
  }

  fileprivate func indexSelect(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let positions = try tensor("index", of: operation)
    let dimension = try operation.integer("dim")
    let extent = shape(of: input).isEmpty ? 1 : shape(of: input)[dimension]
    restrict(positions, to: .index(extent))
    return [
      map(operation.result, name: "selected") { axes in
        guard !axes.isEmpty else { return load(input, []) }
        var indices = axes.positions
        let isScalar = shape(of: positions).isEmpty
        indices[dimension] = position(
          in: positions, isScalar ? [] : [indices[dimension]], within: extent)
        return load(input, indices)
      }
    ]
  }

  fileprivate func gather(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let positions = try tensor("index", of: operation)
    let dimension = try operation.integer("dim")
    let extent = shape(of: input).isEmpty ? 1 : shape(of: input)[dimension]
    restrict(positions, to: .index(extent))
    return [
      map(operation.result, name: "gathered") { axes in
        var indices = axes.positions
        guard !indices.isEmpty else { return load(input, []) }
        indices[dimension] = position(in: positions, axes.positions, within: extent)
        return load(input, indices)
      }
    ]
  }
}
