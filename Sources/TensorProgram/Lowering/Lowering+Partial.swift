import KernelSpec

extension LoweringTable {
  /// Views by strides, and copies of which a part is replaced.
  static let partialWrites: [String: Rule] = [
    "aten.slice_scatter.default": { try $0.sliceScatter($1) },
    "aten.select_scatter.default": { try $0.selectScatter($1) },
    "aten.diagonal.default": { try $0.diagonal($1) },
    "aten.as_strided.default": { try $0.strided($1) },
    "aten.resize_.default": { try $0.resized($1) },
  ]
}

extension Lowering {
  fileprivate func sliceScatter(_ operation: Operation) throws -> [BufferID] {
    let (input, source) = (
      try tensor("self", of: operation), try tensor("src", of: operation)
    )
    let dimension = try operation.integer("dim")
    let (start, step) = (operation.optionalInteger("start") ?? 0, try operation.integer("step"))
    let count = shape(of: source)[dimension]
    return [
      map(operation.result, name: "patched") { axes in
        var at = axes.positions
        let old = load(input, at)
        let distance = at[dimension] - start
        at[dimension] = distance.divided(by: step)
        let isInside = Expression.inRange(distance, lower: 0, upper: count * step)
        let isOnStep = Expression.inRange(distance.modulo(step), lower: 0, upper: 1)
        return load(source, at)
          .guarded(by: step == 1 ? [isInside] : [isInside, isOnStep], otherwise: old)
      }
    ]
  }

  fileprivate func selectScatter(_ operation: Operation) throws -> [BufferID] {
    let (input, source) = (
      try tensor("self", of: operation), try tensor("src", of: operation)
    )
    let (dimension, index) = (try operation.integer("dim"), try operation.integer("index"))
    return [
      map(operation.result, name: "patched") { axes in
        var at = axes.positions
        let old = load(input, at)
        let isHere = Expression.inRange(at.remove(at: dimension), lower: index, upper: index + 1)
        return .select(isHere, load(source, at), old)
      }
    ]
  }

  fileprivate func diagonal(_ operation: Operation) throws -> [BufferID] {
    let (first, second) = (try operation.integer("dim1"), try operation.integer("dim2"))
    let offset = try operation.integer("offset")
    return try rearrange(operation) { at in
      var kept = at.dropLast()
      let along = at.last ?? .constant(0)
      return (0...at.count).map { dimension in
        switch dimension {
        case first: along - min(offset, 0)
        case second: along + max(offset, 0)
        default: kept.popFirst() ?? .constant(0)
        }
      }
    }
  }

  fileprivate func strided(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let strides = try operation.integers("stride")
    let offset = operation.optionalInteger("storage_offset") ?? 0
    let (shape, count) = (shape(of: input), type(of: input).elementCount)
    return try rearrange(operation) { at in
      let flat = zip(at, strides).reduce(Index.constant(offset)) { $0 + $1.0 * $1.1 }
      return Self.reshapedIndices([flat], [count], shape)
    }
  }

  /// The elements in row-major order, and zeros where there are more places.
  fileprivate func resized(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let (shape, result) = (shape(of: input), operation.result)
    let count = type(of: input).elementCount
    return [
      map(result, name: "resized") { axes in
        let flat = axes.positions.flattened(result.shape)
        let value = load(input, Self.reshapedIndices([flat], [count], shape))
        return value.guarded(
          by: result.elementCount > count ? [.inRange(flat, lower: 0, upper: count)] : [],
          otherwise: .number(.integer(0), result.dtype))
      }
    ]
  }
}
