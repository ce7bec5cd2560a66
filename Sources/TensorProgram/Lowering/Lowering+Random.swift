import KernelSpec

extension LoweringTable {
  /// Functions of a seed and of the position of each element, so that every element is independent.
  static let randoms: [String: Rule] = [
    "aten.rand.default": { try $0.uniform($1) },
    "aten.randn.default": { try $0.normal($1) },
    "aten.randperm.default": { try $0.permutation($1) },
    "aten.native_dropout.default": { try $0.dropout($1) },
  ]
}

extension DType {
  /// How many digits a uniform number has, so that it is never rounded up to 1.
  fileprivate var uniformDigits: Int {
    switch self {
    case .f64: 53
    case .f16: 11
    case .bf16: 8
    default: 24
    }
  }
}

extension Lowering {
  /// 64 random bits for each element of `shape`: the generator's key is the seed, and its counter the offset
  /// in the upper 24 bits and the element's position in the lower 40.
  private func bits(
    _ operation: Operation, at indices: [Index], _ shape: [Int], draws: Int = 1, draw: Int = 0
  ) throws -> Expression {
    let seed = try tensor("seed", of: operation)
    let key = load(seed, self.shape(of: seed).map { _ in .constant(0) })
    let offset = (try operation.integer("offset")) << 40
    let position = Expression.index(indices.flattened(shape) * draws + draw, .i64)
    return .binary(.randomBits, key, position + .whole(offset))
  }

  /// The upper `count` of 64 bits, as a whole number.
  private func upper(_ count: Int, of bits: Expression) -> Expression {
    let shifted = Expression.binary(.floorDivide, bits, .integer(1 << (64 - count), .i64))
    return .binary(.bitwiseAnd, shifted, .integer(1 << count - 1, .i64))
  }

  /// A number of `0..<1` with as many digits, as `f64`.
  private func fraction(_ digits: Int, of bits: Expression) -> Expression {
    upper(digits, of: bits).cast(to: .f64)
      * .number(1 / Double(sign: .plus, exponent: digits, significand: 1), .f64)
  }

  fileprivate func uniform(_ operation: Operation) throws -> [BufferID] {
    let result = operation.result
    return [
      try map(result, name: "random") { axes in
        fraction(
          result.dtype.uniformDigits, of: try bits(operation, at: axes.positions, result.shape))
      }
    ]
  }

  /// Box and Muller's transform of two uniform numbers, of 32 digits each, or of 53 for `f64`.
  fileprivate func normal(_ operation: Operation) throws -> [BufferID] {
    let result = operation.result
    let draws = result.dtype == .f64 ? 2 : 1
    let uniforms = try (0..<2).map { half in
      try map(TensorType(.f64, result.shape), name: "uniform") { axes in
        let bits = try bits(
          operation, at: axes.positions, result.shape, draws: draws, draw: draws == 2 ? half : 0)
        if draws == 2 { return fraction(53, of: bits) }
        return fraction(
          32, of: half == 0 ? bits : .binary(.multiply, bits, .integer(1 << 32, .i64)))
      }
    }
    return [
      map(result, name: "normal") { axes in
        let (first, second) = (
          load(uniforms[0], axes.positions), load(uniforms[1], axes.positions)
        )
        let radius = Expression.unary(
          .sqrt, .unary(.log1p, -first) * .number(-2, .f64))
        return radius * .unary(.cos, second * .number(2 * Double.pi, .f64))
      }
    ]
  }

  fileprivate func permutation(_ operation: Operation) throws -> [BufferID] {
    let count = operation.result.shape[0]
    let keys = try map(TensorType(.i64, [count]), name: "keys") { axes in
      try bits(operation, at: axes.positions, [count])
    }
    let order = order(keys, along: 0, count: count, isDescending: false)
    return [converted(order, to: operation.result.dtype)]
  }

  /// `x · mask / (1 - p)` and the mask, which is true with the chance `1 - p`.
  fileprivate func dropout(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let chance = operation.real("p", default: 0)
    let result = operation.result
    let type = result.dtype.computeType
    guard operation.boolean("train"), chance > 0 else {
      return [
        map(result) { load(input, $0.positions) },
        map(operation.results[1]) { _ in .integer(1, .bool) },
      ]
    }
    let mask = try map(operation.results[1], name: "mask") { axes in
      if chance >= 1 { return .integer(0, .bool) }
      let bits = try bits(operation, at: axes.positions, result.shape)
      return fraction(24, of: bits) < .number(1 - chance, .f64)
    }
    let scale = Expression.number(chance < 1 ? 1 / (1 - chance) : 0, type)
    let output = map(result, name: "dropout") { axes in
      let at = axes.positions
      return load(input, at).cast(to: type) * load(mask, at).cast(to: type) * scale
    }
    return [output, mask]
  }
}
