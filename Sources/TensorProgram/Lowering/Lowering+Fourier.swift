import KernelSpec

extension LoweringTable {
  /// Fourier transforms: complex numbers are pairs along a last dimension of 2.
  static let fourierTransforms: [String: Rule] = [
    "aten._fft_r2c.default": { try $0.transformReal($1) },
    "aten._fft_c2r.default": { try $0.transformToReal($1) },
    "aten._fft_c2c.default": { try $0.transformComplex($1) },
  ]
}

extension Lowering {
  /// The factor of a transform over `count` elements in all.
  private func factor(_ operation: Operation, count: Int) throws -> Double {
    switch try operation.integer("normalization") {
    case 1: 1 / Double(count).squareRoot()
    case 2: 1 / Double(count)
    default: 1
    }
  }

  /// `2π·n·k / length`, with the product reduced first so that no digit is lost.
  private func angle(_ first: Index, _ second: Index, _ length: Int) -> Expression {
    let product = Expression.index(first, .i64) * .index(second, .i64)
    let turn = Expression.binary(.remainder, product, .whole(length)).cast(to: .f64)
    return turn * .number(2 * Double.pi / Double(length), .f64)
  }

  /// The transform along one dimension, as a product with a matrix of roots of unity.
  ///
  /// - Parameters:
  ///   - isReal: whether the elements are real numbers, without a last dimension of parts.
  ///   - sign: that of the exponent, -1 for the forward transform.
  ///   - count: how many frequencies are wanted, from the lowest.
  private func transform(
    _ input: BufferID, along dimension: Int, isReal: Bool, sign: Double, count: Int,
    factor: Double
  ) -> BufferID {
    let shape = shape(of: input)
    let (type, length) = (self.type(of: input).dtype, shape[dimension])
    let parts = isReal ? 1 : 2
    let roots = map(TensorType(type, [length, parts, count, 2]), name: "roots") { axes in
      let angle = angle(.axis(axes[0]), .axis(axes[2]), length)
      let sine = Expression.unary(.sin, angle) * .number(sign, .f64)
      let isSamePart = Expression.inRange(
        .axis(axes[1]) - .axis(axes[3]), lower: 0, upper: 1)
      let isImaginary = Expression.inRange(.axis(axes[3]), lower: 1, upper: 2)
      let same = Expression.select(isSamePart, .unary(.cos, angle), -sine)
      let value = Expression.select(
        .binary(.logicalAnd, isImaginary, .unary(.logicalNot, isSamePart)), sine, same)
      return value * .number(factor, .f64)
    }
    var result = isReal ? shape + [2] : shape
    result[dimension] = count
    return reduce(
      TensorType(type, result), over: [length, parts], .sum, name: "spectrum"
    ) { axes, reduced in
      var at = axes.positions
      let (frequency, part) = (at[dimension], at.removeLast())
      at[dimension] = .axis(reduced[0])
      let element = load(input, isReal ? at : at + [.axis(reduced[1])])
      return element
        * load(roots, [.axis(reduced[0]), .axis(reduced[1]), frequency, part])
    }
  }

  fileprivate func transformReal(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimensions = try operation.integers("dim")
    let shape = shape(of: input)
    let last = dimensions[dimensions.count - 1]
    let count = dimensions.reduce(1) { $0 * shape[$1] }
    var result = transform(
      input, along: last, isReal: true, sign: -1, count: operation.result.shape[last],
      factor: try factor(operation, count: count))
    for dimension in dimensions.dropLast() {
      result = transform(
        result, along: dimension, isReal: false, sign: -1, count: shape[dimension], factor: 1)
    }
    return [result]
  }

  fileprivate func transformComplex(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimensions = try operation.integers("dim")
    let shape = shape(of: input)
    var factor = try factor(operation, count: dimensions.reduce(1) { $0 * shape[$1] })
    let sign = operation.boolean("forward") ? -1.0 : 1
    var result = input
    for dimension in dimensions.reversed() {
      result = transform(
        result, along: dimension, isReal: false, sign: sign, count: shape[dimension],
        factor: factor)
      factor = 1
    }
    return [result]
  }

  /// The backward transform of half of a spectrum, whose other half is its mirror image.
  fileprivate func transformToReal(_ operation: Operation) throws -> [BufferID] {
    var input = try tensor("self", of: operation)
    let dimensions = try operation.integers("dim")
    let (last, length) = (dimensions[dimensions.count - 1], try operation.integer("last_dim_size"))
    let factor = try factor(
      operation, count: dimensions.reduce(1) { $0 * operation.result.shape[$1] })
    for dimension in dimensions.dropLast() {
      input = transform(
        input, along: dimension, isReal: false, sign: 1, count: shape(of: input)[dimension],
        factor: 1)
    }
    let half = length / 2 + 1
    let type = operation.result.dtype
    let roots = map(TensorType(type, [half, 2, length]), name: "roots") { axes in
      let angle = angle(.axis(axes[0]), .axis(axes[2]), length)
      let isImaginary = Expression.inRange(.axis(axes[1]), lower: 1, upper: 2)
      let root = Expression.select(isImaginary, -.unary(.sin, angle), .unary(.cos, angle))
      // The lowest and, of an even length, the highest frequency are their own mirror images.
      let isDoubled = Expression.inRange(.axis(axes[0]), lower: 1, upper: (length + 1) / 2)
      let weight = Expression.select(
        isDoubled, .number(2 * factor, .f64), .number(factor, .f64))
      return root * weight
    }
    return [
      reduce(operation.result, over: [half, 2], .sum, name: "signal") { axes, reduced in
        var at = axes.positions
        let position = at[last]
        at[last] = .axis(reduced[0])
        return load(input, at + [.axis(reduced[1])])
          * load(roots, [.axis(reduced[0]), .axis(reduced[1]), position])
      }
    ]
  }
}
