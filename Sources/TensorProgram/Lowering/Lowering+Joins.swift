import KernelSpec

extension LoweringTable {
  /// Operators that put several tensors into one.
  static let joins: [String: Rule] = [
    "aten.cat.default": { try $0.concatenate($1) }
  ]
}

extension Lowering {
  fileprivate func tensors(_ operation: Operation) throws -> [BufferID] {
    guard case .tensors(let list) = operation.node.arguments["tensors"] else {
      throw operation.error("tensors must be a list of tensors")
    }
    return list.compactMap { $0.flatMap { values[$0] } }
  }

  fileprivate func concatenate(_ operation: Operation) throws -> [BufferID] {
    let dimension = try operation.integer("dim")
    let rank = operation.result.rank
    // PyTorch skips empty vectors, whatever the rank of the others.
    let parts = try tensors(operation).filter { shape(of: $0).count == rank }
    guard !parts.isEmpty else { throw operation.error("tensors must not be empty") }
    var starts = [0]
    for part in parts { starts.append(starts[starts.count - 1] + shape(of: part)[dimension]) }
    return [join(operation, parts, starts, dimension)]
  }

  /// The part whose range along `dimension` holds the position.
  fileprivate func join(
    _ operation: Operation, _ parts: [BufferID], _ starts: [Int], _ dimension: Int
  ) -> BufferID {
    let type = operation.result.dtype
    return map(operation.result, name: "join") { axes in
      let at = axes.positions
      let elements = zip(parts, starts).map { part, start in
        var indices = at
        indices[dimension] = at[dimension] - start
        return load(part, indices).cast(to: type)
      }
      var value = elements[elements.count - 1]
      for position in elements.indices.dropLast().reversed() {
        let isHere = Expression.inRange(
          at[dimension], lower: starts[position], upper: starts[position + 1])
        value = .select(isHere, elements[position], value)
      }
      return value
    }
  }
}
