import KernelSpec

extension LoweringTable {
  static let resamplings: [String: Rule] = {
    var rules: [String: Rule] = [
      "aten.upsample_bicubic2d.default": { try $0.resample($1, .cubic) },
      "aten.grid_sampler_2d.default": { try $0.gridSample($1) },
    ]
    for name in ["linear1d", "bilinear2d", "trilinear3d"] {
      rules["aten.upsample_\(name).default"] = { try $0.resample($1, .linear) }
    }
    for spatial in 1...3 {
      rules["aten.upsample_nearest\(spatial)d.default"] = { try $0.resample($1, .nearest) }
      rules["aten._upsample_nearest_exact\(spatial)d.default"] = {
        try $0.resample($1, .nearestExact)
      }
    }
    return rules
  }()
}

/// How the value between the elements of a row is made from its neighbours.
enum Interpolation {
  case nearest, nearestExact, linear, cubic

  /// How many neighbours take part.
  var taps: Int {
    switch self {
    case .nearest, .nearestExact: 1
    case .linear: 2
    case .cubic: 4
    }
  }

  /// The weight of a neighbour at a distance of `distance`, which is not negative.
  func weight(_ distance: Expression) -> Expression {
    let number = { (value: Double) in Expression.number(value, distance.dtype) }
    switch self {
    case .nearest, .nearestExact: return number(1)
    case .linear: return .maximum(number(1) - distance, number(0))
    case .cubic:
      // Keys' convolution with a = -0.75, as in PyTorch (ATen/native/UpSample.h).
      let a = -0.75
      let near =
        (number(a + 2) * distance - number(a + 3)) * distance * distance + number(1)
      let far =
        ((number(a) * distance - number(5 * a)) * distance + number(8 * a)) * distance
        - number(4 * a)
      return .select(distance > number(1), far, near)
    }
  }
}

/// Where the outputs of one dimension lie in the input.
///
/// Source: `area_pixel_compute_scale` and its like (ATen/native/UpSample.h).
private struct Resampling {
  let extent: Int
  let outputs: Int
  let interpolation: Interpolation
  let alignsCorners: Bool
  /// The factor that the caller gave.
  let factor: Double?
  /// The type in which PyTorch computes positions.
  let type: DType

  private var scale: Double {
    if alignsCorners { return outputs > 1 ? Double(extent - 1) / Double(outputs - 1) : 0 }
    if let factor, factor > 0 { return type.rounded(1 / factor) }
    return type.rounded(Double(extent) / Double(outputs))
  }

  /// The position of an output, as `f64`.
  func source(_ output: Index) -> Expression {
    let number = Expression.index(output, .f64)
    let scale = Expression.number(self.scale, .f64)
    let half = Expression.number(0.5, .f64)
    switch interpolation {
    // Rounded as PyTorch's own product is: a position just below a whole number falls on the one before.
    case .nearest: return (number * scale).cast(to: type).cast(to: .f64)
    case .nearestExact: return ((number + half) * scale).cast(to: type).cast(to: .f64)
    case .linear, .cubic:
      if alignsCorners { return number * scale }
      let position = (number + half) * scale - half
      return interpolation == .cubic ? position : .maximum(position, .number(0, .f64))
    }
  }

  /// The first neighbour of an output, as `i64`.
  func first(_ output: Index) -> Expression {
    let floor = Expression.unary(.floor, source(output)).cast(to: .i64)
    return interpolation == .cubic ? floor - .whole(1) : floor
  }
}

extension Lowering {
  private func dimensions(
    _ operation: Operation, _ input: BufferID, _ interpolation: Interpolation
  ) -> [Resampling] {
    let spatial = operation.result.rank - 2
    let names = [["scales"], ["scales_h", "scales_w"], ["scales_d", "scales_h", "scales_w"]]
    return (0..<spatial).map {
      Resampling(
        extent: shape(of: input)[$0 + 2], outputs: operation.result.shape[$0 + 2],
        interpolation: interpolation, alignsCorners: operation.boolean("align_corners"),
        factor: operation.optionalScalar(names[spatial - 1][$0])?.double,
        type: operation.result.dtype.computeType)
    }
  }

  /// Weighted sums of neighbours, whose positions and weights are small tables for each dimension.
  fileprivate func resample(
    _ operation: Operation, _ interpolation: Interpolation
  ) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let type = operation.result.dtype.computeType
    let dimensions = dimensions(operation, input, interpolation)
    let taps = interpolation.taps
    let positions = dimensions.map { dimension in
      map(TensorType(.i64, [dimension.outputs, taps]), name: "position") { axes in
        dimension.first(.axis(axes[0])) + .index(.axis(axes[1]), .i64)
      }
    }
    let place = { [self] (dimension: Int, at: [Index]) in
      load(positions[dimension], at).position(within: dimensions[dimension].extent)
    }
    guard taps > 1 else {
      return [
        map(operation.result, name: "resampled") { axes in
          let at = axes.positions
          return load(
            input,
            at.prefix(2) + dimensions.indices.map { place($0, [at[$0 + 2], .constant(0)]) })
        }
      ]
    }
    let weights = zip(dimensions, positions).map { dimension, positions in
      map(TensorType(type, [dimension.outputs, taps]), name: "weight") { axes in
        let neighbour = load(positions, axes.positions).cast(to: .f64)
        let distance = Expression.unary(
          .absolute, dimension.source(.axis(axes[0])) - neighbour)
        return interpolation.weight(distance).cast(to: type)
      }
    }
    return [
      reduce(
        operation.result, over: dimensions.map { _ in taps }, .sum, name: "resampled"
      ) { axes, reduced in
        let (at, over) = (axes.positions, reduced.positions)
        let places = dimensions.indices.map { [at[$0 + 2], over[$0]] }
        var value = load(input, at.prefix(2) + places.indices.map { place($0, places[$0]) })
          .cast(to: type)
        for dimension in places.indices {
          value = value * load(weights[dimension], places[dimension])
        }
        return value
      }
    ]
  }
}

// MARK: - Grids

/// How positions outside an image are treated, along a dimension of `extent` pixels.
private struct GridEdge {
  enum Mode: Int { case zeros, border, reflection }

  let mode: Mode
  let extent: Int
  let alignsCorners: Bool

  private func number(_ value: Double) -> Expression { .number(value, .f64) }

  /// From -1…1 to pixels.
  func unnormalized(_ x: Expression) -> Expression {
    alignsCorners
      ? (x + number(1)) * number(Double(extent - 1) / 2)
      : ((x + number(1)) * number(Double(extent)) - number(1)) * number(0.5)
  }

  /// The position moved into the image, unless what is outside counts as zero.
  func padded(_ x: Expression) -> Expression {
    switch mode {
    case .zeros: x
    case .border: clipped(x)
    case .reflection: clipped(reflected(x))
    }
  }

  /// NaN becomes 0, as in PyTorch.
  private func clipped(_ x: Expression) -> Expression {
    .minimum(.select(x > number(0), x, number(0)), number(Double(extent - 1)))
  }

  /// Folded at the edges: between the centres of the outer pixels, or between their outer borders.
  private func reflected(_ x: Expression) -> Expression {
    let low = alignsCorners ? 0.0 : -0.5
    let span = alignsCorners ? Double(extent - 1) : Double(extent)
    guard span > 0 else { return number(0) }
    let distance = Expression.unary(.absolute, x - number(low))
    let extra = Expression.binary(.fmod, distance, number(span))
    let flips = Expression.unary(.floor, distance / number(span))
    let isEven = Expression.equal(.binary(.fmod, flips, number(2)), number(0))
    return .select(isEven, extra + number(low), number(span) - extra + number(low))
  }
}

extension Lowering {
  fileprivate func gridSample(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let grid = try tensor("grid", of: operation)
    let modes: [Interpolation] = [.linear, .nearest, .cubic]
    let interpolation = modes[try operation.integer("interpolation_mode")]
    let mode = GridEdge.Mode(rawValue: try operation.integer("padding_mode")) ?? .zeros
    let edges = (2...3).map {
      GridEdge(
        mode: mode, extent: shape(of: input)[$0],
        alignsCorners: operation.boolean("align_corners"))
    }
    let type = operation.result.dtype.computeType
    let outputs = [operation.result.shape[0]] + operation.result.shape.dropFirst(2)
    // The grid holds x, the column, before y, the row.
    let places = edges.enumerated().map { position, edge in
      map(TensorType(.f64, outputs), name: "place") { axes in
        let x = load(grid, axes.positions + [.constant(1 - position)]).cast(to: .f64)
        let place = edge.unnormalized(x)
        // Neighbours of a cubic interpolation are moved one by one.
        let moved = interpolation == .cubic ? place : edge.padded(place)
        return interpolation == .nearest ? .unary(.round, moved) : moved
      }
    }
    let taps = interpolation.taps
    return [
      reduce(operation.result, over: [taps, taps], .sum, name: "sampled") { axes, reduced in
        let at = axes.positions
        var indices = [at[0], at[1]]
        var guards: [Expression] = []
        var weights: [Expression] = []
        for (position, edge) in edges.enumerated() {
          let place = load(places[position], [at[0], at[2], at[3]])
          let offset = Index.axis(reduced[position]) - (interpolation == .cubic ? 1 : 0)
          let neighbour = Expression.unary(.floor, place) + .index(offset, .f64)
          if interpolation != .nearest {
            weights.append(
              interpolation.weight(.unary(.absolute, place - neighbour)).cast(to: type))
          }
          let moved = interpolation == .cubic ? edge.padded(neighbour) : neighbour
          let pixel =
            interpolation == .cubic && edge.mode != .zeros
            ? Expression.unary(.truncate, moved) : moved
          guards.append(
            .binary(
              .logicalAnd, .binary(.greaterOrEqual, pixel, .number(0, .f64)),
              pixel < .number(Double(edge.extent), .f64)))
          indices.append(pixel.cast(to: .i64).position(within: edge.extent))
        }
        let element = load(input, indices).cast(to: type)
          .guarded(by: guards, otherwise: .number(0, type))
        return weights.reduce(element) { $0 * $1 }
      }
    ]
  }
}
