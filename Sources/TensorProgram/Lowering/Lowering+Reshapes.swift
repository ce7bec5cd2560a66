import KernelSpec

extension LoweringTable {
  /// Operators that keep the row-major order of the elements.
  static let reshapes: [String: Rule] = {
    let names = ["view.default", "squeeze.dims", "unsqueeze.default"]
    return Dictionary(
      uniqueKeysWithValues: names.map { name in
        ("aten.\(name)", { lowering, operation in try lowering.reshape(operation) } as Rule)
      })
  }()
}

extension Lowering {
  /// A rearrangement of `self`: the element at a position of the result is that at `indices` of it.
  func rearrange(
    _ operation: Operation, _ indices: ([Index]) throws -> [Index]
  ) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    return [try rearrange(input, as: operation.result, indices)]
  }

  func rearrange(
    _ input: BufferID, as type: TensorType, _ indices: ([Index]) throws -> [Index]
  ) rethrows -> BufferID {
    let result = try map(type, name: "view") { axes in
      load(input, try indices(axes.positions)).cast(to: type.dtype)
    }
    if type.dtype.keepsPositions(of: self.type(of: input).dtype) {
      origins[result] = origins[input]
    }
    return result
  }

  fileprivate func reshape(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let (from, to) = (shape(of: input), operation.result.shape)
    return try rearrange(operation) { Self.reshapedIndices($0, to, from) }
  }

  /// Where the element at position `at` of shape `shape` lies in `source`, a shape of as many elements.
  ///
  /// The shapes are matched in the smallest groups of neighbouring dimensions with equal products, so that
  /// dimensions that stay need no division.
  static func reshapedIndices(_ at: [Index], _ shape: [Int], _ source: [Int]) -> [Index] {
    if source.contains(0) { return source.map { _ in .constant(0) } }
    var indices: [Index] = []
    var next = 0
    var group: [Int] = []
    var flat = Index.constant(0)
    var (flatCount, groupCount) = (1, 1)
    for extent in source {
      group.append(extent)
      groupCount *= extent
      while flatCount < groupCount, next < shape.count {
        flat = flat * shape[next] + (shape[next] == 1 ? .constant(0) : at[next])
        flatCount *= shape[next]
        next += 1
      }
      guard flatCount == groupCount else { continue }
      indices += unflattened(flat, group)
      group = []
      flat = .constant(0)
      (flatCount, groupCount) = (1, 1)
    }
    return indices + unflattened(flat, group)
  }

  fileprivate static func unflattened(_ flat: Index, _ shape: [Int]) -> [Index] {
    var inner = shape.reduce(1, *)
    let significant = shape.firstIndex { $0 != 1 }
    return shape.enumerated().map { position, extent in
      inner /= extent
      if extent == 1 { return .constant(0) }
      let quotient = flat.divided(by: inner)
      return position == significant ? quotient : quotient.modulo(extent)
    }
  }
}

extension DType {
  /// Whether every position held as `from` is the same number in this type.
  fileprivate func keepsPositions(of from: DType) -> Bool {
    self == from || (self == .i64 && from.isInteger)
  }
}
