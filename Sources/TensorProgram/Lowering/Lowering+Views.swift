import KernelSpec

extension LoweringTable {
  /// Operators that move elements as a whole: permutations, repetitions, windows.
  static let rearrangements: [String: Rule] = [
    "aten.permute.default": { lowering, operation in
      let dims = try operation.integers("dims")
      return try lowering.rearrange(operation) { at in
        var indices = at
        for (position, dimension) in dims.enumerated() {
          indices[dimension < 0 ? dimension + at.count : dimension] = at[position]
        }
        return indices
      }
    },
    "aten.expand.default": { lowering, operation in
      let shape = lowering.shape(of: try lowering.tensor("self", of: operation))
      return try lowering.rearrange(operation) { at in
        zip(at.suffix(shape.count), shape).map { $1 == 1 ? .constant(0) : $0 }
      }
    },
    "aten.repeat.default": { lowering, operation in
      let shape = lowering.shape(of: try lowering.tensor("self", of: operation))
      let result = operation.result.shape
      return try lowering.rearrange(operation) { at in
        zip(zip(at, result).suffix(shape.count), shape).map { outer, extent in
          extent == 0 ? .constant(0) : outer.1 == extent ? outer.0 : outer.0.modulo(extent)
        }
      }
    },
    "aten.flip.default": { lowering, operation in
      let dims = Set(try operation.integers("dims"))
      let shape = operation.result.shape
      return try lowering.rearrange(operation) { at in
        at.enumerated().map { dims.contains($0) ? $1 * -1 + (shape[$0] - 1) : $1 }
      }
    },
    "aten.unfold.default": { lowering, operation in
      let dimension = try operation.integer("dimension")
      let step = try operation.integer("step")
      return try lowering.rearrange(operation) { at in
        guard let offset = at.last, at.count > 1 else { return [] }
        var indices = Array(at.dropLast())
        indices[dimension] = indices[dimension] * step + offset
        return indices
      }
    },
  ]

  /// Operators that take a part of a tensor, or put one in a larger one.
  static let slices: [String: Rule] = [
    "aten.slice.Tensor": { lowering, operation in
      let dimension = try operation.integer("dim")
      let step = try operation.integer("step")
      let extent = lowering.shape(of: try lowering.tensor("self", of: operation))[dimension]
      let start = operation.optionalInteger("start") ?? 0
      let first = min(max(start < 0 ? start + extent : start, 0), extent)
      return try lowering.rearrange(operation) { at in
        var indices = at
        indices[dimension] = at[dimension] * step + first
        return indices
      }
    },
    "aten.select.int": { lowering, operation in
      let dimension = try operation.integer("dim")
      let extent = lowering.shape(of: try lowering.tensor("self", of: operation))[dimension]
      let index = try operation.integer("index")
      return try lowering.rearrange(operation) { at in
        var indices = at
        indices.insert(.constant(index < 0 ? index + extent : index), at: dimension)
        return indices
      }
    },
    "aten.split_with_sizes.default": { lowering, operation in
      try lowering.split(operation, sizes: try operation.integers("split_sizes"))
    },
    "aten.constant_pad_nd.default": { try $0.pad($1) },
  ]
}

extension Lowering {
  fileprivate func split(_ operation: Operation, sizes: [Int]) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimension = try operation.integer("dim")
    guard sizes.count == operation.results.count else {
      throw operation.error("there must be one result for each size")
    }
    var offset = 0
    return zip(operation.results, sizes).map { result, size in
      let start = offset
      offset += size
      return rearrange(input, as: result) { at in
        var indices = at
        indices[dimension] = at[dimension] + start
        return indices
      }
    }
  }

  fileprivate func pad(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let pad = try operation.integers("pad")
    let value = Expression.number(
      operation.optionalScalar("value") ?? .integer(0), operation.result.dtype)
    let shape = shape(of: input)
    return [
      map(operation.result, name: "pad") { axes in
        var guards: [Expression] = []
        let indices = axes.positions.enumerated().map { dimension, index -> Index in
          let pair = 2 * (shape.count - 1 - dimension)
          guard pair + 1 < pad.count else { return index }
          let position = index - pad[pair]
          if pad[pair] > 0 || pad[pair + 1] > 0 {
            guards.append(.inRange(position, lower: 0, upper: shape[dimension]))
          }
          return position
        }
        return load(input, indices).guarded(by: guards, otherwise: value)
      }
    ]
  }
}
