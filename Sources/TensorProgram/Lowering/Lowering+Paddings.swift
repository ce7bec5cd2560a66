import KernelSpec

extension LoweringTable {
  /// Paddings with elements of the tensor itself, and windows as columns.
  static let paddings: [String: Rule] = {
    var rules: [String: Rule] = [
      "aten.im2col.default": { try $0.columns($1) },
      "aten.col2im.default": { try $0.image($1) },
    ]
    for spatial in 1...3 {
      for isReflection in [true, false] {
        let name = isReflection ? "reflection" : "replication"
        rules["aten.\(name)_pad\(spatial)d.default"] = { lowering, operation in
          try lowering.mirroredPad(operation, spatial: spatial, isReflection: isReflection)
        }
      }
    }
    return rules
  }()
}

extension Lowering {
  /// One dimension after the other, so that the middle of each is a plain copy.
  fileprivate func mirroredPad(
    _ operation: Operation, spatial: Int, isReflection: Bool
  ) throws -> [BufferID] {
    var result = try tensor("self", of: operation)
    let amounts = try operation.integers("padding")
    for index in 0..<spatial {
      let dimension = operation.result.rank - 1 - index
      let before = amounts[2 * index]
      let extent = shape(of: result)[dimension]
      var shape = shape(of: result)
      shape[dimension] += before + amounts[2 * index + 1]
      let source = result
      result = map(TensorType(operation.result.dtype, shape), name: "pad") { axes in
        let position = Index.axis(axes[dimension]) - before
        let element = { [self] (index: Index) -> Expression in
          var at = axes.positions
          at[dimension] = index
          return load(source, at)
        }
        let low = element(isReflection ? position * -1 : .constant(0))
        let high = element(
          isReflection ? position * -1 + 2 * (extent - 1) : .constant(extent - 1))
        let isBelow = Expression.inRange(position, lower: -extent - abs(before), upper: 0)
        let isInside = Expression.inRange(position, lower: 0, upper: extent)
        return .select(isInside, element(position), .select(isBelow, low, high))
      }
    }
    return [result]
  }

  private func windows(
    _ operation: Operation, _ size: [Int]
  ) throws -> [Window] {
    let kernel = try operation.integers("kernel_size", count: 2)
    let dilation = try operation.integers("dilation", count: 2)
    let padding = try operation.integers("padding", count: 2)
    let stride = try operation.integers("stride", count: 2)
    return size.indices.map {
      Window(
        length: size[$0], kernel: kernel[$0], stride: stride[$0], padding: padding[$0],
        dilation: dilation[$0])
    }
  }

  /// How many places a window has.
  private func places(_ window: Window) -> Int {
    (window.length + 2 * window.padding - window.dilation * (window.kernel - 1) - 1)
      / window.stride + 1
  }

  fileprivate func columns(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let windows = try windows(operation, Array(shape(of: input).suffix(2)))
    let counts = windows.map(places)
    return [
      map(operation.result, name: "columns") { axes in
        let at = axes.positions
        let (row, column) = (at[at.count - 2], at[at.count - 1])
        let offsets = [
          row.divided(by: windows[1].kernel).modulo(windows[0].kernel),
          row.modulo(windows[1].kernel),
        ]
        let outputs = [column.divided(by: counts[1]), column.modulo(counts[1])]
        var indices = Array(at.dropLast(2))
        indices.append(row.divided(by: windows[0].kernel * windows[1].kernel))
        var guards: [Expression] = []
        for dimension in 0..<2 {
          let position = windows[dimension].position(outputs[dimension], offsets[dimension])
          guards += windows[dimension].guards(position, outputs: counts[dimension])
          indices.append(position)
        }
        return load(input, indices).guarded(
          by: guards, otherwise: .number(.integer(0), operation.result.dtype))
      }
    ]
  }

  /// Each position is the sum of the columns' elements that came from it.
  fileprivate func image(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let result = operation.result
    let windows = try windows(operation, Array(result.shape.suffix(2)))
    let counts = windows.map(places)
    let type = result.dtype.computeType
    let outputs = zip(windows, counts).map {
      Window(
        length: $1, kernel: $0.kernel, stride: $0.stride, padding: $0.padding,
        dilation: $0.dilation)
    }
    return [
      reduce(result, over: outputs.map(\.transposedOffsets), .sum, name: "image") { axes, reduced in
        let at = axes.positions
        let terms = (0..<2).map {
          outputs[$0].transposed(at[at.count - 2 + $0], .axis(reduced[$0]))
        }
        let channel = at[at.count - 3] * windows[0].kernel + terms[0].kernel
        let row = channel * windows[1].kernel + terms[1].kernel
        let column = terms[0].input * counts[1] + terms[1].input
        return load(input, at.dropLast(3) + [row, column]).cast(to: type)
          .guarded(by: terms.flatMap(\.guards), otherwise: .number(.integer(0), type))
      }
    ]
  }
}
