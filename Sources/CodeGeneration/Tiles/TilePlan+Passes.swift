import KernelSpec
import TensorProgram

/// How stages become passes over rows.
extension TilePlan {
  /// The stages in order, those that one pass over an axis can do together as one.
  func passes(of kernel: FlatKernel) -> [TileStatement] {
    let groups = PassFusion(kernel).groups
    return groups.indices.flatMap { position -> [TileStatement] in
      let stages = groups[position]
      guard let axis = stages[0].passAxis else {
        return stages.map { statement(for: $0, insideLanes: false, in: kernel) }
      }
      var pass = TilePass(axis: axis, members: stages.map { member($0, in: kernel) }, lanes: lanes)
      pass.unroll = stages.contains(where: \.isReduction) ? accumulators : unroll
      pass.prefetches =
        prefetches(for: position, of: groups, along: axis, in: kernel)
        + claims(for: position, of: groups, along: axis, in: kernel)
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
    in kernel: FlatKernel
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
        let ahead = max(rows, prefetchBytes / max(step * type.sizeBytes, 1))
        wanted.append(
          TilePrefetch(buffer: buffer, index: .sum(indices[0], .constant(ahead * step))))
      }
    }
    return wanted
  }

  /// What the pass before one that writes an output makes writable of its rows.
  private func claims(
    for position: Int, of groups: [[FlatKernel.FlatStage]], along axis: Axis, in kernel: FlatKernel
  ) -> [TilePrefetch] {
    let next = groups[(position + 1)...].first { $0[0].passAxis != nil }
    guard claimBytes > 0, let next, let own = next[0].passAxis, own.extent == axis.extent
    else { return [] }
    return next.compactMap { stage in
      let place = AffineIndex(stage.index)
      guard !stage.isReduction, !kernel.locals.contains(stage.output),
        place.coefficient(of: own) == 1
      else { return nil }
      let index = stage.renaming(own, to: axis).index
      let step = kernel.outer.last.flatMap {
        place.isLinear(in: $0) ? place.coefficient(of: $0) : nil
      }
      let bytes = (step ?? 0) * stage.outputType.sizeBytes
      let ahead = bytes > 0 ? claimBytes / bytes * (step ?? 0) : 0
      return TilePrefetch(
        buffer: stage.output, index: .sum(index, .constant(ahead)), isWrite: true)
    }
  }
}

extension TileKernel {
  /// Whether points can run one pass behind one another.
  var canBePipelined: Bool {
    guard case .pass(let first)? = body.first, steps.count > 1 else { return false }
    return body.allSatisfy { statement in
      if case .pass(let pass) = statement { pass.axis.extent == first.axis.extent } else { true }
    }
  }
}
