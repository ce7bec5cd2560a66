import KernelSpec
package import TensorProgram

/// How a flat kernel becomes a tile kernel: the choices that sketches make from their parameters.
package struct TilePlan: Sendable, Hashable {
  /// Whether lanes run over the last outer axis; else over the last axis of each stage.
  package var lanesAcross = true
  /// Elements of a vector; 1 for scalar code.
  package var lanes = 1
  package var unroll = 1
  /// Partial results of a reduction whose own axis is vectorised.
  package var accumulators = 1
  /// How much of the lane axis one grid point covers; 0 for all of it.
  package var tile = 0
  package var blocks = 1
  package var isStreaming = false
  /// Whether the lane axis is split where guards change, so that its middle has none.
  package var splitsGuards = false
  /// How many neighbouring points of the grid run interleaved, where their stages are passes over rows.
  package var rows = 1
  /// Whether neighbouring points run one pass behind one another, where the passes allow it.
  package var isPipelined = false
  /// How many bytes ahead of use rows of inputs are fetched; 0 for not at all.
  package var prefetchBytes = 0
  /// How many bytes ahead the cache lines of rows of outputs are made writable, by the pass before the one that
  /// writes them; 0 for not at all, less than a row for the row itself.
  package var claimBytes = 0
  /// How many look-ups ahead of use rows of tables are fetched; 0 for not at all.
  package var lookUpsAhead = 0

  package init() {}
}

extension TilePlan {
  /// The tile kernel of `kernel` under this plan.
  package func tileKernel(of kernel: FlatKernel, name: String, in program: TensorProgram)
    -> TileKernel
  {
    lanesAcross && !kernel.outer.isEmpty
      ? across(kernel, name: name, in: program) : within(kernel, name: name, in: program)
  }

  private func across(_ kernel: FlatKernel, name: String, in program: TensorProgram) -> TileKernel {
    let laneAxis = kernel.outer[kernel.outer.count - 1]
    let step = max(lanes * unroll, 1)
    let whole = max((laneAxis.extent + step - 1) / step * step, 1)
    let tileExtent = tile == 0 ? whole : max(tile / step * step, step)
    let grid =
      kernel.outer.dropLast().map { GridAxis(axis: $0, tile: 1) }
      + [GridAxis(axis: laneAxis, tile: tileExtent)]
    let body = laneRanges(of: laneAxis, in: kernel, program).map { range, stages in
      TileStatement.loop(
        TileLoop(
          axis: laneAxis, range: range, isGridTile: true, lanes: lanes, unroll: unroll),
        stages.map { statement(for: $0, insideLanes: true, in: kernel) })
    }
    return TileKernel(
      name: name, grid: grid, blocks: blocks,
      scratch: scratch(of: kernel, isPerLane: true), body: body)
  }

  private func within(_ kernel: FlatKernel, name: String, in program: TensorProgram) -> TileKernel {
    var tiles = TileKernel(
      name: name, grid: kernel.outer.map { GridAxis(axis: $0, tile: 1) }, blocks: blocks,
      scratch: scratch(of: kernel, isPerLane: false), body: passes(of: kernel))
    if isPipelined && tiles.canBePipelined {
      tiles.overlap = .pipelined
    } else if rows > 1 {
      tiles.overlap = .interleaved(rows)
    }
    return tiles
  }

  private func scratch(of kernel: FlatKernel, isPerLane: Bool) -> [ScratchTile] {
    kernel.stages.compactMap { stage in
      guard kernel.locals.contains(stage.output) else { return nil }
      return ScratchTile(
        buffer: stage.output, dtype: stage.outputType,
        elementCount: stage.rest.reduce(1) { $0 * $1.extent }, isPerLane: isPerLane)
    }
  }

  private func laneRanges(of axis: Axis, in kernel: FlatKernel, _ program: TensorProgram)
    -> [(Range<Int>, [FlatKernel.FlatStage])]
  {
    guard splitsGuards else { return [(0..<axis.extent, kernel.stages)] }
    return GuardSplitting(axis: axis, program: program).split(kernel.stages)
  }

  func statement(
    for stage: FlatKernel.FlatStage, insideLanes: Bool, in kernel: FlatKernel
  ) -> TileStatement {
    let lanesOfRest = insideLanes ? nil : stage.laneAxis
    var inner: TileStatement
    var loops = stage.rest
    switch stage.body {
    case .map(let value): inner = .store(store(value, of: stage, in: kernel))
    case .reduce(let axes, let combiner, let value):
      let isVector = !insideLanes && lanesOfRest == nil
      inner = .reduce(
        TileReduction(
          output: stage.output, index: stage.index, axes: axes, combiner: combiner, value: value,
          lanes: isVector ? lanes : 1, accumulators: isVector ? accumulators : 1,
          ahead: insideLanes ? lookUpsAhead : 0))
    case .scan(let axis, let combiner, let value):
      loops.removeAll { $0 == axis }
      var scan = TileScan(
        output: stage.output, index: stage.index, axis: axis, combiner: combiner, value: value)
      if !insideLanes && lanesOfRest == nil {
        (scan.lanes, scan.isStreaming) = (
          lanes, isStreaming && !kernel.locals.contains(stage.output)
        )
      }
      inner = .scan(scan)
    }
    if let lane = lanesOfRest, let position = loops.firstIndex(of: lane) {
      loops.remove(at: position)
      loops.append(lane)
    }
    for axis in loops.reversed() {
      var loop = TileLoop(axis: axis, range: 0..<axis.extent)
      if axis == lanesOfRest { (loop.lanes, loop.unroll) = (lanes, unroll) }
      inner = .loop(loop, [inner])
    }
    return inner
  }

  func store(_ value: Expression, of stage: FlatKernel.FlatStage, in kernel: FlatKernel)
    -> TileStore
  {
    TileStore(
      output: stage.output, index: stage.index, value: value,
      isStreaming: isStreaming && !kernel.locals.contains(stage.output))
  }
}

extension FlatKernel.FlatStage {
  /// The axis of the domain that lanes run over when each outer iteration stands alone: the last one, except
  /// where a reduction reads memory along its own last axis instead.
  package var laneAxis: Axis? {
    switch body {
    case .map: return rest.last
    case .scan(let axis, _, _):
      return rest.last.flatMap { $0 == axis ? nil : $0 }
    case .reduce(let axes, _, let value):
      guard let last = rest.last else { return nil }
      guard let reduced = axes.last else { return last }
      return value.contiguity(along: last) >= value.contiguity(along: reduced) ? last : nil
    }
  }
}

extension Expression {
  /// How well lanes along `axis` fit the loads: neighbours and shared values count for it, others against.
  package func contiguity(along axis: Axis) -> Int {
    var score = 0
    visit { part in
      guard case .load(_, _, let indices) = part, let index = indices.first else { return }
      let affine = AffineIndex(index)
      guard affine.isLinear(in: axis) else {
        score -= 2
        return
      }
      switch affine.coefficient(of: axis) {
      case 0: break
      case 1: score += 1
      default: score -= 2
      }
    }
    return score
  }
}
