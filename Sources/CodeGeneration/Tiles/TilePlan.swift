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
  /// How many bytes of a row ahead of use inputs are fetched; 0 for not at all.
  package var prefetchBytes = 0
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
    TileKernel(
      name: name, grid: kernel.outer.map { GridAxis(axis: $0, tile: 1) }, blocks: blocks,
      scratch: scratch(of: kernel, isPerLane: false),
      body: statements(of: kernel, in: program))
  }

  /// The stages in order, those that one pass over an axis can do together as one.
  private func statements(of kernel: FlatKernel, in program: TensorProgram) -> [TileStatement] {
    let fusion = PassFusion(kernel)
    let groups = fusion.groups
    return groups.indices.flatMap { position -> [TileStatement] in
      let stages = groups[position]
      guard let axis = stages[0].passAxis else {
        return stages.map { statement(for: $0, insideLanes: false, in: kernel) }
      }
      var pass = TilePass(axis: axis, members: stages.map { member($0, in: kernel) }, lanes: lanes)
      pass.unroll = stages.contains(where: \.isReduction) ? accumulators : unroll
      pass.prefetches = prefetches(for: position, of: groups, along: axis, in: kernel, program)
      return [.pass(pass)]
    }
  }

  private func member(_ stage: FlatKernel.FlatStage, in kernel: FlatKernel) -> TilePass.Member {
    guard case .reduce(let axes, let combiner, let value) = stage.body else {
      return .store(store(stage.body.value, of: stage, in: kernel))
    }
    return .reduce(
      TileReduction(
        output: stage.output, index: stage.index, axes: axes, combiner: combiner, value: value))
  }

  /// What the last pass that reads an input along its rows fetches of the rows to come: by then the rows of now
  /// are in the cache.
  private func prefetches(
    for position: Int, of groups: [[FlatKernel.FlatStage]], along axis: Axis,
    in kernel: FlatKernel, _ program: TensorProgram
  ) -> [TilePrefetch] {
    guard prefetchBytes > 0, let row = kernel.outer.last else { return [] }
    let later = groups[(position + 1)...].joined().reduce(into: Set<BufferID>()) { found, stage in
      stage.body.value.visit { if case .load(let buffer, _, _) = $0 { found.insert(buffer) } }
    }
    var wanted: [TilePrefetch] = []
    for stage in groups[position] {
      stage.body.value.visit { part in
        guard case .load(let buffer, let type, let indices) = part,
          !kernel.locals.contains(buffer), !later.contains(buffer),
          !wanted.contains(where: { $0.buffer == buffer })
        else { return }
        let place = AffineIndex(indices[0])
        let step = place.coefficient(of: row)
        guard place.isLinear(in: row), place.coefficient(of: axis) == 1, step >= axis.extent
        else { return }
        let rows = max(1, prefetchBytes / max(step * type.sizeBytes, 1))
        wanted.append(
          TilePrefetch(buffer: buffer, index: .sum(indices[0], .constant(rows * step))))
      }
    }
    return wanted
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

  private func statement(
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
          lanes: isVector ? lanes : 1, accumulators: isVector ? accumulators : 1))
    case .scan(let axis, let combiner, let value):
      loops.removeAll { $0 == axis }
      inner = .scan(
        TileScan(
          output: stage.output, index: stage.index, axis: axis, combiner: combiner, value: value))
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

  private func store(_ value: Expression, of stage: FlatKernel.FlatStage, in kernel: FlatKernel)
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
