import KernelSpec

extension LoweringTable {
  /// Operators that read where data says.
  ///
  /// Positions that the caller gives must lie in `0..<extent`, which a kernel checks at its entry. Those that
  /// the graph computes are clamped to it: no load leaves its tensor, whatever the values are.
  static let gathers: [String: Rule] = [
    "aten.embedding.default": { try $0.embedding($1) },
    "aten.index_select.default": { try $0.indexSelect($1) },
    "aten.gather.default": { try $0.gather($1) },
    "granary.class_position.default": { try $0.classPosition($1) },
  ]
}

extension Lowering {
  fileprivate func embedding(_ operation: Operation) throws -> [BufferID] {
    let weight = try tensor("weight", of: operation)
    let positions = try positions("indices", of: operation, into: shape(of: weight)[0])
    return [
      map(operation.result, name: "embedding") { axes in
        let at = axes.positions
        return load(weight, [positions(Array(at.dropLast()))] + at.suffix(1))
      }
    ]
  }

  fileprivate func indexSelect(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let isScalar = shape(of: try tensor("index", of: operation)).isEmpty
    let dimension = try operation.integer("dim")
    let positions = try positions(
      "index", of: operation, into: extent(of: input, along: dimension))
    return [
      map(operation.result, name: "selected") { axes in
        guard !axes.isEmpty else { return load(input, []) }
        var indices = axes.positions
        indices[dimension] = positions(isScalar ? [] : [indices[dimension]])
        return load(input, indices)
      }
    ]
  }

  fileprivate func gather(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimension = try operation.integer("dim")
    let positions = try positions(
      "index", of: operation, into: extent(of: input, along: dimension))
    return [
      map(operation.result, name: "gathered") { axes in
        var indices = axes.positions
        guard !indices.isEmpty else { return load(input, []) }
        indices[dimension] = positions(axes.positions)
        return load(input, indices)
      }
    ]
  }

  /// The class that each target names, and class 0 where it names none.
  fileprivate func classPosition(_ operation: Operation) throws -> [BufferID] {
    let target = try tensor("target", of: operation)
    let classes = try operation.integer("classes")
    let none = try operation.integer("ignore_index")
    restrict(target, to: .indexOr(classes, none: none))
    return [
      map(operation.result, name: "class") { axes in
        let value = load(target, axes.positions)
        return .select(.equal(value, .whole(none)), .whole(0), value)
      }
    ]
  }

  /// The extent of a dimension; a scalar has one element along every dimension.
  private func extent(of id: BufferID, along dimension: Int) -> Int {
    shape(of: id).isEmpty ? 1 : shape(of: id)[dimension]
  }

  /// The position that an argument holds at each of its elements, within `0..<extent`.
  ///
  /// - Throws: when there are positions but nothing that they could name.
  private func positions(
    _ name: String, of operation: Operation, into extent: Int
  ) throws -> ([Index]) -> Index {
    let id = try tensor(name, of: operation)
    guard extent > 0 || type(of: id).elementCount == 0 else {
      throw operation.error("\(name) must be empty, because there is nothing that it could name")
    }
    restrict(id, to: .index(extent))
    let isGiven = origins[id] != nil
    return { [self] at in
      let value = load(id, at).cast(to: .i64)
      return isGiven ? .value(value) : value.position(within: extent)
    }
  }
}
