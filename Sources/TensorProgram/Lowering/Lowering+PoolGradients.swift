import KernelSpec

extension LoweringTable {
  static let poolGradients: [String: Rule] = (2...3).reduce(into: [:]) { rules, spatial in
    rules["aten.avg_pool\(spatial)d_backward.default"] = {
      try $0.averagePoolGradient($1, spatial: spatial)
    }
    rules["aten.max_pool\(spatial)d_with_indices_backward.default"] = {
      try $0.maximumPoolGradient($1, spatial: spatial)
    }
    rules["aten._adaptive_avg_pool\(spatial)d_backward.default"] = {
      try $0.adaptivePoolGradient($1, spatial: spatial)
    }
  }
}

extension Lowering {
  /// The windows seen from the input: `length` is the number of outputs along each dimension.
  private func outputWindows(
    _ windows: [Window], _ gradient: BufferID
  ) -> [Window] {
    zip(windows, shape(of: gradient).suffix(windows.count)).map { window, outputs in
      Window(
        length: outputs, kernel: window.kernel, stride: window.stride, padding: window.padding,
        dilation: window.dilation)
    }
  }

  /// The sum over the outputs whose window holds the position, of what `value` gives at their indices.
  private func sumOverWindows(
    _ operation: Operation, _ windows: [Window], _ value: ([Index], [Axis]) -> Expression
  ) -> BufferID {
    let type = operation.result.dtype.computeType
    return reduce(
      operation.result, over: windows.map(\.transposedOffsets), .sum, name: "gradient"
    ) { axes, reduced in
      let terms = zip(zip(windows, axes.suffix(windows.count)), reduced).map {
        $0.0.transposed(.axis($0.1), .axis($1))
      }
      let outer = axes.dropLast(windows.count).map { Index.axis($0) }
      return value(outer + terms.map(\.input), axes)
        .guarded(by: terms.flatMap(\.guards), otherwise: .number(0, type))
    }
  }

  fileprivate func maximumPoolGradient(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let gradient = try tensor("grad_output", of: operation)
    let positions = try tensor("indices", of: operation)
    let windows = try windows(
      operation, over: try tensor("self", of: operation), spatial: spatial)
    let type = operation.result.dtype.computeType
    restrict(positions, to: .index(operation.result.shape.suffix(spatial).reduce(1, *)))
    return [
      sumOverWindows(operation, outputWindows(windows, gradient)) { output, axes in
        let own = Array(axes.suffix(spatial))
        let flat = own.positions.flattened(own.map(\.extent))
        return .select(
          .equal(load(positions, output), .index(flat, .i64)),
          load(gradient, output).cast(to: type), .number(0, type))
      }
    ]
  }

  fileprivate func averagePoolGradient(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let gradient = try tensor("grad_output", of: operation)
    let windows = try windows(
      operation, over: try tensor("self", of: operation), spatial: spatial)
    let type = operation.result.dtype.computeType
    let override = operation.optionalInteger("divisor_override")
    let countsPadding = operation.boolean("count_include_pad", default: true)
    let outputs = shape(of: gradient).suffix(spatial)
    return [
      sumOverWindows(operation, outputWindows(windows, gradient)) { output, _ in
        let counts = zip(zip(windows, outputs), output.suffix(spatial)).map {
          $0.0.count(at: $1, of: $0.1, countsPadding: countsPadding)
        }
        let divisor = override.map { .whole($0) } ?? counts.product
        return load(gradient, output).cast(to: type) / divisor.converted(to: type)
      }
    ]
  }

  /// Position `x` is in the windows of the outputs from `⌊x·outputs / length⌋` to
  /// `⌈(x + 1)·outputs / length⌉ - 1`.
  fileprivate func adaptivePoolGradient(_ operation: Operation, spatial: Int) throws -> [BufferID] {
    let gradient = try tensor("grad_output", of: operation)
    let type = operation.result.dtype.computeType
    let windows = zip(operation.result.shape, shape(of: gradient)).suffix(spatial).map {
      AdaptiveWindow(length: $0, outputs: $1)
    }
    return [
      reduce(
        operation.result, over: windows.map(\.mostOutputs), .sum, name: "gradient"
      ) { axes, reduced in
        var output = axes.dropLast(spatial).map { Index.axis($0) }
        var guards: [Expression] = []
        var counts: [Expression] = []
        for ((window, axis), offset) in zip(zip(windows, axes.suffix(spatial)), reduced) {
          let at = (Index.axis(axis) * window.outputs).divided(by: window.length) + .axis(offset)
          output.append(at)
          guards.append(.inRange(at, lower: 0, upper: window.outputs))
          guards.append(
            .inRange(.axis(axis) - window.start(at), lower: 0, upper: window.length))
          counts.append(window.count(at))
        }
        let value = load(gradient, output).cast(to: type) / counts.product.converted(to: type)
        return value.guarded(by: guards, otherwise: .number(0, type))
      }
    ]
  }
}

extension AdaptiveWindow {
  /// The most outputs whose windows hold one position.
  fileprivate var mostOutputs: Int {
    (0..<length).map { ($0 + 1) * outputs + length - 1 - $0 * outputs / length * length }
      .map { $0 / length }.max() ?? 1
  }
}
