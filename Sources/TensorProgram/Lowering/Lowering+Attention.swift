import KernelSpec

extension LoweringTable {
  static let attention: [String: Rule] = [
    "aten.scaled_dot_product_attention.default": { try $0.scaledDotProductAttention($1) }
  ]
}

extension Lowering {
  /// `softmax(scale · query @ keyᵀ + mask) @ value`, where a row that the mask hides as a whole gives zeros.
  ///
  /// Shapes: query `[…, L, E]`, key `[…, S, E]`, value `[…, S, V]`, mask broadcast to `[…, L, S]`.
  fileprivate func scaledDotProductAttention(_ operation: Operation) throws -> [BufferID] {
    guard operation.real("dropout_p", default: 0) == 0 else {
      throw operation.error("dropout_p must be 0")
    }
    let query = try tensor("query", of: operation)
    let key = try tensor("key", of: operation)
    let value = try tensor("value", of: operation)
    let (queryShape, keyShape) = (shape(of: query), shape(of: key))
    guard queryShape.count >= 2, keyShape.count >= 2, let width = queryShape.last else {
      throw operation.error("query and key must have at least two dimensions")
    }
    let type = operation.result.dtype.computeType
    let batch = Array(operation.result.shape.dropLast(2))
    let rows = queryShape[queryShape.count - 2]
    let columns = keyShape[keyShape.count - 2]
    let products = reduce(
      TensorType(type, batch + [rows, columns]), over: [width], .sum, name: "products"
    ) { axes, reduced in
      let at = axes.positions
      let k = Index.axis(reduced[0])
      let outer = Array(at.dropLast(2))
      let one = load(query, heads(outer, batch, of: query) + [at[at.count - 2], k])
      let two = load(key, heads(outer, batch, of: key) + [at[at.count - 1], k])
      return one.cast(to: type) * two.cast(to: type)
    }
    let scale = operation.real("scale", default: 1 / Double(width).squareRoot())
    let mask = optionalTensor("attn_mask", of: operation)
    let scores = map(self.type(of: products), name: "scores") { axes in
      let score = load(products, axes.positions).scaled(by: scale)
      return masked(score, mask, axes, isCausal: operation.boolean("is_causal"))
    }
    let weights = softmax(
      of: scores, dimension: batch.count + 1, as: self.type(of: products),
      emptyRowsAreZero: mask != nil)
    return [
      reduce(operation.result, over: [columns], .sum, name: "attention") { axes, reduced in
        let at = axes.positions
        let outer = Array(at.dropLast(2))
        let s = Index.axis(reduced[0])
        let element = load(value, heads(outer, batch, of: value) + [s, at[at.count - 1]])
        return load(weights, outer + [at[at.count - 2], s]) * element.cast(to: type)
      }
    ]
  }

  /// The leading indices of `id`: broadcast, and with fewer heads each shared by neighbours.
  fileprivate func heads(_ outer: [Index], _ batch: [Int], of id: BufferID) -> [Index] {
    let own = shape(of: id).dropLast(2)
    return zip(zip(outer, batch).suffix(own.count), own).map { pair, extent in
      if extent == 1 { return .constant(0) }
      return pair.0.divided(by: extent == pair.1 ? 1 : pair.1 / extent)
    }
  }

  fileprivate func masked(
    _ score: Expression, _ mask: BufferID?, _ axes: [Axis], isCausal: Bool
  ) -> Expression {
    var score = score
    let hidden = Expression.real(-.infinity, score.dtype)
    if let mask {
      let element = load(mask, broadcastAt: axes.positions)
      score =
        element.dtype == .bool
        ? .select(element, score, hidden) : score + element.cast(to: score.dtype)
    }
    guard isCausal else { return score }
    let (row, column) = (axes[axes.count - 2], axes[axes.count - 1])
    let isVisible = Expression.inRange(
      Index.axis(row) - Index.axis(column), lower: 0, upper: max(row.extent, 1))
    return .select(isVisible, score, hidden)
  }
}
