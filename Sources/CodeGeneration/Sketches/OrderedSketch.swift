import Hardware
import KernelSpec
import TensorProgram

/// Scatters and sorts: each grid point owns a part of the output along the axes where values do not meet, and
/// works through its values one after the other.
struct OrderedSketch: Sketch {
  let name = "ordered"

  func matches(_ site: KernelSite) -> Bool { site.orderedStage != nil }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    let isSmall = site.operationCount < 400_000
    return [
      ParameterDomain("tile", [16, 64, 256, 1024], default: 64),
      ParameterDomain("blocks", [0, 1, 4, 16], default: isSmall ? 0 : 4),
    ]
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let stage = site.orderedStage else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is not ordered")
    }
    let plan = OrderedPlan(
      stage: stage, program: site.program, tile: schedule.parameters["tile"] ?? 64)
    var kernel = plan.tileKernel(name: site.name)
    let wanted = (schedule.parameters["blocks"] ?? 0) * max(site.hardware.tuning.threads, 1)
    kernel.blocks = max(1, min(kernel.gridCount, wanted))
    return .tiles(kernel)
  }
}

extension KernelSite {
  /// The only stage of the kernel, when it scatters or sorts.
  var orderedStage: Stage? {
    guard kernel.stages.count == 1, let stage = kernel.stages.first, stage.isOrdered,
      stage.recurrence == nil
    else {
      return nil
    }
    return stage
  }
}

/// The tile kernel of one scatter or sort.
private struct OrderedPlan {
  let stage: Stage
  let program: TensorProgram
  let tile: Int

  func tileKernel(name: String) -> TileKernel {
    switch stage.body {
    case .scatter(let scatter): kernel(of: scatter, name)
    case .sort(let sort): kernel(of: sort, name)
    case .map, .reduce, .scan, .recurrence:
      TileKernel(name: name, grid: [], blocks: 1, scratch: [], body: [])
    }
  }

  private func flattened(_ buffer: BufferID, _ indices: [Index]) -> Index {
    let strides = program[buffer].type.resolvedStrides
    let sum = zip(indices, strides).reduce(Index.constant(0)) {
      .sum($0, .product($1.0, $1.1))
    }
    return AffineIndex(sum).index
  }

  private func flat(_ value: Expression) -> Expression {
    value.mapped(load: { .load($0, $1, [flattened($0, $2)]) })
  }

  private func flat(_ index: Index) -> Index {
    index.mapped(load: { .load($0, $1, [flattened($0, $2)]) }, index: { $0 })
  }

  private var outputIndex: Index { flattened(stage.output, stage.domain.map { .axis($0) }) }

  private func kernel(of sort: Sort, _ name: String) -> TileKernel {
    let grid = stage.domain.enumerated().filter { $0.offset != sort.dimension }
    let statement = TileStatement.sort(
      TileSort(
        output: stage.output, index: outputIndex, rank: stage.domain[sort.dimension],
        axis: sort.axis, isDescending: sort.isDescending, value: flat(sort.value)))
    return TileKernel(
      name: name, grid: grid.map { GridAxis(axis: $0.element, tile: 1) }, blocks: 1, scratch: [],
      body: [statement])
  }

  /// Neighbouring elements of a shared last dimension are handled together, for each value.
  private func kernel(of scatter: Scatter, _ name: String) -> TileKernel {
    let shared = scatter.shared(of: stage.domain)
    let tiled = shared.last.flatMap { $0 == stage.domain.last ? $0 : nil }
    let own = stage.domain.filter { !shared.contains($0) }
    let start = TileStatement.store(
      TileStore(output: stage.output, index: outputIndex, value: flat(scatter.initial)))
    let strides = program[stage.output].type.resolvedStrides
    let step = TileStatement.scatter(
      TileScatter(
        output: stage.output, target: scatter.target.map(flat),
        extents: stage.domain.map(\.extent), strides: strides, combiner: scatter.combiner,
        value: flat(scatter.value)))
    return TileKernel(
      name: name, grid: shared.map { GridAxis(axis: $0, tile: $0 == tiled ? tile : 1) },
      blocks: 1, scratch: [],
      body: [loops(own, tiled, start), loops(scatter.axes, tiled, step)])
  }

  private func loops(_ axes: [Axis], _ tiled: Axis?, _ body: TileStatement) -> TileStatement {
    var result = body
    if let tiled {
      result = .loop(TileLoop(axis: tiled, range: 0..<tiled.extent, isGridTile: true), [result])
    }
    for axis in axes.reversed() {
      result = .loop(TileLoop(axis: axis, range: 0..<axis.extent), [result])
    }
    return result
  }
}
