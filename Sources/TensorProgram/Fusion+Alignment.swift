import KernelSpec

extension TensorProgram {
  /// The program with dimensions of extent 1 put back into temporaries where the stages that read them have such:
  /// stages are grouped by the axes that their domains begin with, and outputs have to keep all of theirs.
  ///
  /// A temporary whose readers disagree stays as it is.
  func aligned() -> TensorProgram {
    let wishes = wishes
    guard !wishes.isEmpty else { return self }
    var result = self
    for (buffer, shape) in wishes {
      result.buffers[buffer.position].type = TensorType(self[buffer].type.dtype, shape)
    }
    var nextAxis = 1 + (stages.flatMap { $0.domain + $0.reductionAxes }.map(\.id).max() ?? 0)
    result.stages = stages.map { stage in
      var aligned = stage.mapExpression { widening($0, wishes) }
      if let shape = wishes[stage.output] { aligned.insertUnitAxes(to: shape, next: &nextAxis) }
      return aligned
    }
    return result
  }

  /// The shapes that temporaries should have, last stages first: a wish of one is a wish of what it reads.
  private var wishes: [BufferID: [Int]] {
    let fixed = Set(inputs).union(outputs).union(stages.filter(\.isOrdered).map(\.output))
    var wishes: [BufferID: [Int]] = [:]
    var disputed: Set<BufferID> = []
    for stage in stages.reversed() where !stage.isOrdered {
      if disputed.contains(stage.output) { wishes[stage.output] = nil }
      let shape = wishes[stage.output] ?? self[stage.output].type.shape
      for load in stage.loads where !fixed.contains(load.buffer) {
        let own = self[load.buffer].type.shape
        let wish = stage.shape(of: own, at: load.indexes, within: shape)
        if let known = wishes[load.buffer], known != wish { disputed.insert(load.buffer) }
        wishes[load.buffer] = wish
      }
    }
    return wishes.filter { !disputed.contains($0.key) && $0.value != self[$0.key].type.shape }
  }

  private func widening(_ expression: Expression, _ wishes: [BufferID: [Int]]) -> Expression {
    let inner = expression.mapChildren(
      { widening($0, wishes) },
      index: { index in
        index.rewritten(axis: { _ in nil }, expression: { widening($0, wishes) })
      })
    guard case .load(let buffer, let type, let indexes) = inner, let shape = wishes[buffer] else {
      return inner
    }
    var left = indexes[...]
    return .load(
      buffer, type, shape.map { $0 == 1 ? .constant(0) : left.popFirst() ?? .constant(0) })
  }
}

extension Stage {
  /// The shape `own`, which has no dimension of extent 1, with those of `shape`, the stage's own, that stand
  /// before the axes which the stage reads it at.
  fileprivate func shape(of own: [Int], at indexes: [Index], within shape: [Int]) -> [Int] {
    let axes = domain.filter { $0.extent != 1 }
    let shared = zip(zip(indexes, own), axes).prefix {
      $0.0.simplified == Index.axis($1).simplified && $0.1 == $1.extent
    }
    var (result, matched) = ([Int](), 0)
    for extent in shape where matched < shared.count {
      result.append(extent)
      if extent != 1 { matched += 1 }
    }
    return result + own.dropFirst(matched)
  }

  /// Gives the domain, which has no axis of extent 1, those of `shape`.
  fileprivate mutating func insertUnitAxes(to shape: [Int], next: inout Int) {
    var left = domain[...]
    var isBefore = 0
    let scanned: Int? = if case .scan(let dimension, _, _) = body { dimension } else { nil }
    domain = shape.map { extent in
      if extent != 1, let axis = left.popFirst() { return axis }
      defer { next += 1 }
      if let scanned, left.startIndex <= scanned { isBefore += 1 }
      return Axis(id: next, extent: 1)
    }
    if case .scan(let dimension, let combiner, let value) = body {
      body = .scan(dimension: dimension + isBefore, combiner: combiner, value: value)
    }
  }
}
