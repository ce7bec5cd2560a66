import KernelSpec

extension LoweringTable {
  static let contractions: [String: Rule] = [
    "aten.mm.default": { lowering, operation in
      try lowering.matrixProduct(operation, "self", "mat2")
    },
    "aten.bmm.default": { lowering, operation in
      try lowering.matrixProduct(operation, "self", "mat2")
    },
    "aten.matmul.default": { lowering, operation in
      try lowering.matrixProduct(operation, "self", "other")
    },
    "aten.addmm.default": { lowering, operation in
      try lowering.scaledProduct(operation, "mat1", "mat2")
    },
    "aten.baddbmm.default": { lowering, operation in
      try lowering.scaledProduct(operation, "batch1", "batch2")
    },
    "aten.linear.default": { try $0.linear($1) },
  ]
}

extension Lowering {
  /// `Σₖ first[…, i, k] · second[…, k, j]` with broadcast leading dimensions; a vector has no `i` or no `j`.
  func product(_ first: BufferID, _ second: BufferID, as type: TensorType) -> BufferID {
    let (left, right) = (shape(of: first), shape(of: second))
    let compute = type.dtype.computeType
    return reduce(type, over: [left.last ?? 1], .sum, name: "product") { axes, reduced in
      let k = Index.axis(reduced[0])
      let trailing = (left.count > 1 ? 1 : 0) + (right.count > 1 ? 1 : 0)
      let batch = axes.dropLast(trailing).map { Index.axis($0) }
      let own = axes.suffix(trailing).map { Index.axis($0) }
      let row = left.count > 1 ? [own[0], k] : [k]
      let column = right.count > 1 ? [k, own[trailing - 1]] : [k]
      let one = load(first, broadcast(batch, to: left.dropLast(2)) + row)
      let two = load(second, broadcast(batch, to: right.dropLast(2)) + column)
      return one.cast(to: compute) * two.cast(to: compute)
    }
  }

  fileprivate func broadcast(_ batch: [Index], to extents: ArraySlice<Int>) -> [Index] {
    zip(batch.suffix(extents.count), extents).map { $1 == 1 ? .constant(0) : $0 }
  }

  fileprivate func matrixProduct(
    _ operation: Operation, _ first: String, _ second: String
  ) throws -> [BufferID] {
    let left = try tensor(first, of: operation)
    let right = try tensor(second, of: operation)
    guard let width = shape(of: left).last,
      width == shape(of: right).suffix(2).first
    else { throw operation.error("the inner dimensions must be equal") }
    return [product(left, right, as: operation.result)]
  }

  /// `β · self + α · first @ second`; `self` is not read when β is 0.
  fileprivate func scaledProduct(
    _ operation: Operation, _ first: String, _ second: String
  ) throws -> [BufferID] {
    let added = try tensor("self", of: operation)
    let type = operation.result.dtype.computeType
    let alpha = operation.optionalScalar("alpha") ?? .integer(1)
    let beta = operation.optionalScalar("beta") ?? .integer(1)
    let product = product(
      try tensor(first, of: operation), try tensor(second, of: operation),
      as: TensorType(type, operation.result.shape))
    return [
      map(operation.result) { axes in
        var value = load(product, axes.positions)
        if alpha.double != 1 { value = value * .number(alpha, type) }
        guard beta.double != 0 else { return value }
        var addend = load(added, broadcastAt: axes.positions).cast(to: type)
        if beta.double != 1 { addend = addend * .number(beta, type) }
        return value + addend
      }
    ]
  }

  /// `input @ weightᵀ + bias`
  fileprivate func linear(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let weight = try tensor("weight", of: operation)
    let type = operation.result.dtype.computeType
    let bias = optionalTensor("bias", of: operation)
    let isVector = shape(of: weight).count == 1
    guard let width = shape(of: input).last, width == shape(of: weight).last else {
      throw operation.error("the inner dimensions must be equal")
    }
    let product = reduce(
      bias == nil ? operation.result : TensorType(type, operation.result.shape), over: [width],
      .sum, name: "product"
    ) { axes, reduced in
      let k = Index.axis(reduced[0])
      let rows = (isVector ? axes[...] : axes.dropLast()).map { Index.axis($0) }
      let column = isVector ? [] : axes.suffix(1).map { Index.axis($0) }
      return load(input, rows + [k]).cast(to: type) * load(weight, column + [k]).cast(to: type)
    }
    guard let bias else { return [product] }
    return [
      map(operation.result) { axes in
        load(product, axes.positions) + load(bias, broadcastAt: axes.positions).cast(to: type)
      }
    ]
  }
}
