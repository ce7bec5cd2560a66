import KernelSpec

extension LoweringTable {
  static let poolings: [String: Rule] = [
    "aten.max_pool2d_with_indices.default": { try $0.maximumPool($1, spatial: 2) },
    "aten.max_pool3d_with_indices.default": { try $0.maximumPool($1, spatial: 3) },
    "aten.avg_pool1d.default": { try $0.averagePool($1, spatial: 1) },
    "aten.avg_pool2d.default": { try $0.averagePool($1, spatial: 2) },
    "aten.avg_pool3d.default": { try $0.averagePool($1, spatial: 3) },
    "aten.adaptive_avg_pool1d.default": { try $0.adaptiveAveragePool($1, spatial: 1) },
    "aten._adaptive_avg_pool2d.default": { try $0.adaptiveAveragePool($1, spatial: 2) },
    "aten._adaptive_avg_pool3d.default": { try $0.adaptiveAveragePool($1, spatial: 3) },
  ]
}

extension Lowering {
  func windows(
    _ operation: Operation, over input: BufferID, spatial: Int
  ) throws -> [Window] {
    let lengths = shape(of: input).suffix(spatial)
    guard lengths.count == spatial, operation.result.rank == shape(of: input).count else {
      throw operation.error("self must have \(spatial) spatial dimensions")
    }
    let kernel = try operation.integers("kernel_size", count: spatial)
    let stride = try operation.integers("stride", count: spatial, otherwise: kernel)
    let none = [Int](repeating: 0, count: spatial)
    let padding = try operation.integers("padding", count: spatial, otherwise: none)
    let dilation = try operation.integers(
      "dilation", count: spatial, otherwise: none.map { _ in 1 })
    return zip(lengths, kernel.indices).map { length, dimension in
      Window(
        length: length, kernel: kernel[dimension], stride: stride[dimension],
        padding: padding[dimension], dilation: dilation[dimension])
    }
  }

  /// The elements of each window, and `otherwise` where it leaves the input.
  fileprivate func windowElement(
    _ input: BufferID, _ windows: [Window], _ axes: [Axis], _ reduced: [Axis],
    as type: DType, otherwise: Expression
  ) -> Expression {
    let outer = axes.dropLast(windows.count).map { Index.axis($0) }
    var spatial: [Index] = []
    var guards: [Expression] = []
    for ((window, output), offset) in zip(zip(windows, axes.suffix(windows.count)), reduced) {
      let position = window.position(.axis(output), .axis(offset))
      spatial.append(position)
      guards += window.guards(position, outputs: output.extent)
    }
    return load(input, outer + spatial).cast(to: type).guarded(by: guards, otherwise: otherwise)
  }

  fileprivate func maximumPool(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let windows = try windows(operation, over: input, spatial: spatial)
    let type = operation.result.dtype.computeType
    let pools = zip(operation.results, [Combiner.maximum, .argumentOfMaximum]).map {
      result, combiner in
      reduce(result, over: windows.map(\.kernel), combiner, name: "pool") { axes, reduced in
        windowElement(input, windows, axes, reduced, as: type, otherwise: type.lowest)
      }
    }
    guard pools.count == 2 else { return pools }
    let positions = map(operation.results[1], name: "indices") { axes in
      .index(inputPosition(of: load(pools[1], axes.positions), windows, axes), .i64)
    }
    return [pools[0], positions]
  }

  /// The row-major position in the input of the window position `argument`.
  ///
  /// A window of nothing but the lowest value has its first position within the input: positions in the
  /// padding hold that value too, and come first.
  fileprivate func inputPosition(
    of argument: Expression, _ windows: [Window], _ axes: [Axis]
  ) -> Index {
    var position = Index.constant(0)
    var inner = windows.reduce(1) { $0 * $1.kernel }
    for (window, axis) in zip(windows, axes.suffix(windows.count)) {
      inner /= window.kernel
      var offset = Index.value(argument).divided(by: inner).modulo(window.kernel)
      if window.padding > 0 {
        let start = window.position(.axis(axis), .constant(0))
        let first = (start * -1 + (window.dilation - 1)).divided(by: window.dilation)
        offset = .value(.maximum(.index(offset, .i64), .index(first, .i64)))
      }
      position = position * window.length + window.position(.axis(axis), offset)
    }
    return position
  }

  fileprivate func averagePool(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let windows = try windows(operation, over: input, spatial: spatial)
    let type = operation.result.dtype.computeType
    let sum = reduce(
      TensorType(type, operation.result.shape), over: windows.map(\.kernel), .sum, name: "pool"
    ) { axes, reduced in
      windowElement(
        input, windows, axes, reduced, as: type, otherwise: .number(.integer(0), type))
    }
    let override = operation.optionalInteger("divisor_override")
    let countsPadding = operation.boolean("count_include_pad", default: true)
    return [
      map(operation.result) { axes in
        let counts = zip(windows, axes.suffix(spatial)).map {
          $0.count(at: .axis($1), of: $1.extent, countsPadding: countsPadding)
        }
        let divisor = override.map { .integer(Int64($0), .i64) } ?? counts.product
        return .binaryOfAnyType(.divide, load(sum, axes.positions), divisor.converted(to: type))
      }
    ]
  }

  fileprivate func adaptiveAveragePool(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let windows = zip(shape(of: input), operation.result.shape).suffix(spatial).map {
      AdaptiveWindow(length: $0, outputs: $1)
    }
    let type = operation.result.dtype.computeType
    let sum = reduce(
      TensorType(type, operation.result.shape), over: windows.map(\.largest), .sum, name: "pool"
    ) { axes, reduced in
      let outer = axes.dropLast(spatial).map { Index.axis($0) }
      var at: [Index] = []
      var guards: [Expression] = []
      for ((window, output), offset) in zip(zip(windows, axes.suffix(spatial)), reduced) {
        at.append(window.start(.axis(output)) + .axis(offset))
        guards += window.guards(.axis(output), .axis(offset))
      }
      return load(input, outer + at).cast(to: type)
        .guarded(by: guards, otherwise: .number(0, type))
    }
    return [
      map(operation.result) { axes in
        let divisor = zip(windows, axes.suffix(spatial)).map { $0.count(.axis($1)) }.product
        return load(sum, axes.positions) / divisor.converted(to: type)
      }
    ]
  }
}

extension Window {
  /// How many positions of the window at an output, one of `outputs`, count for its average, as `i64`.
  func count(at output: Index, of outputs: Int, countsPadding: Bool) -> Expression {
    let start = position(output, .constant(0))
    let margin = countsPadding ? padding : 0
    let last = (outputs - 1) * stride - padding + kernel
    let isClipped = last > length + margin || (!countsPadding && padding > 0)
    guard isClipped else { return .integer(Int64(kernel), .i64) }
    let end = Expression.minimum(
      .index(start + kernel, .i64), .integer(Int64(length + margin), .i64))
    let begin = Expression.maximum(.index(start, .i64), .integer(Int64(-margin), .i64))
    return end - begin
  }
}

/// The window of an adaptive pooling along one dimension: output `i` covers the input from
/// `⌊i·length / outputs⌋` to `⌈(i + 1)·length / outputs⌉`.
struct AdaptiveWindow {
  let length: Int
  let outputs: Int

  var isUniform: Bool { outputs > 0 && length % outputs == 0 }

  var largest: Int {
    (0..<outputs).map { end(of: $0) - $0 * length / outputs }.max() ?? 1
  }

  fileprivate func end(of output: Int) -> Int {
    ((output + 1) * length + outputs - 1) / outputs
  }

  func start(_ output: Index) -> Index {
    isUniform ? output * (length / outputs) : (output * length).divided(by: outputs)
  }

  fileprivate func end(_ output: Index) -> Index {
    (output * length + (length + outputs - 1)).divided(by: outputs)
  }

  func guards(_ output: Index, _ offset: Index) -> [Expression] {
    if isUniform { return [] }
    return [.inRange(start(output) + offset - end(output), lower: -largest, upper: 0)]
  }

  /// The size of the window, as `i64`.
  func count(_ output: Index) -> Expression {
    isUniform
      ? .integer(Int64(length / outputs), .i64) : .index(end(output) - start(output), .i64)
  }
}

extension [Expression] {
  /// The product of `i64` counts; of constants, a constant.
  var product: Expression {
    var constant: Int64 = 1
    var result: Expression?
    for factor in self {
      if case .integer(let value, _) = factor {
        constant *= value
      } else {
        result = result.map { $0 * factor } ?? factor
      }
    }
    guard let result else { return .integer(constant, .i64) }
    return constant == 1 ? result : result * .integer(constant, .i64)
  }
}

extension Expression {
  /// The conversion of a count; of a constant, a constant.
  func converted(to type: DType) -> Expression {
    if case .integer(let value, _) = self { return .number(.integer(value), type) }
    return cast(to: type)
  }
}

extension DType {
  /// The largest number of the type: what a minimum starts from.
  var highest: Expression {
    switch self {
    case .i64: .integer(.max, self)
    case .i32: .integer(Int64(Int32.max), self)
    case .i16: .integer(Int64(Int16.max), self)
    case .i8: .integer(Int64(Int8.max), self)
    case .u8: .integer(Int64(UInt8.max), self)
    case .bool: .integer(1, self)
    default: .real(.infinity, self)
    }
  }

  /// The smallest number of the type: what a maximum starts from.
  var lowest: Expression {
    switch self {
    case .i64: .integer(.min, self)
    case .i32: .integer(Int64(Int32.min), self)
    case .i16: .integer(Int64(Int16.min), self)
    case .i8: .integer(Int64(Int8.min), self)
    case .u8, .bool: .integer(0, self)
    default: .real(-.infinity, self)
    }
  }
}
