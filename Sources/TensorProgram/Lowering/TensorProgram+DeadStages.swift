extension TensorProgram {
  /// The same program without the stages that no output needs, and without their buffers.
  package func withoutDeadStages() -> TensorProgram {
    var needed = Set(outputs)
    for stage in stages.reversed() where needed.contains(stage.output) {
      needed.formUnion(stage.body.value.buffers)
    }
    needed.formUnion(inputs)
    let kept = buffers.indices.map(BufferID.init).filter(needed.contains)
    let renumbered = Dictionary(
      uniqueKeysWithValues: kept.enumerated().map { ($1, BufferID($0)) })
    return TensorProgram(
      buffers: kept.map { self[$0] },
      inputs: inputs.compactMap { renumbered[$0] },
      outputs: outputs.compactMap { renumbered[$0] },
      stages: stages.compactMap { stage in
        renumbered[stage.output].map { stage.renumbered(as: $0, renumbered) }
      },
      inputDomains: inputDomains)
  }
}

extension Stage.Body {
  /// The expression of the body.
  fileprivate var value: Expression {
    switch self {
    case .map(let value), .reduce(_, _, let value), .scan(_, _, let value): value
    }
  }
}

extension Stage {
  fileprivate func renumbered(as output: BufferID, _ names: [BufferID: BufferID]) -> Stage {
    let body: Body =
      switch body {
      case .map(let value): .map(value.renumbered(names))
      case .reduce(let axes, let combiner, let value):
        .reduce(axes: axes, combiner: combiner, value: value.renumbered(names))
      case .scan(let dimension, let combiner, let value):
        .scan(dimension: dimension, combiner: combiner, value: value.renumbered(names))
      }
    return Stage(output: output, domain: domain, body: body)
  }
}

extension Expression {
  /// The buffers that the expression loads from.
  fileprivate var buffers: Set<BufferID> {
    switch self {
    case .real, .integer: []
    case .index(let index, _), .inRange(let index, _, _): index.buffers
    case .load(let id, _, let indices): indices.reduce(into: [id]) { $0.formUnion($1.buffers) }
    case .unary(_, let operand), .cast(_, let operand): operand.buffers
    case .binary(_, let first, let second): first.buffers.union(second.buffers)
    case .select(let condition, let first, let second):
      condition.buffers.union(first.buffers).union(second.buffers)
    }
  }

  fileprivate func renumbered(_ names: [BufferID: BufferID]) -> Expression {
    switch self {
    case .real, .integer: self
    case .index(let index, let type): .index(index.renumbered(names), type)
    case .inRange(let index, let lower, let upper):
      .inRange(index.renumbered(names), lower: lower, upper: upper)
    case .load(let id, let type, let indices):
      .load(names[id] ?? id, type, indices.map { $0.renumbered(names) })
    case .unary(let operation, let operand): .unary(operation, operand.renumbered(names))
    case .cast(let type, let operand): .cast(type, operand.renumbered(names))
    case .binary(let operation, let first, let second):
      .binary(operation, first.renumbered(names), second.renumbered(names))
    case .select(let condition, let first, let second):
      .select(
        condition.renumbered(names), first.renumbered(names), second.renumbered(names))
    }
  }
}

extension Index {
  fileprivate var buffers: Set<BufferID> {
    switch self {
    case .constant, .axis: []
    case .sum(let first, let second): first.buffers.union(second.buffers)
    case .product(let index, _), .quotient(let index, _), .remainder(let index, _): index.buffers
    case .value(let expression): expression.buffers
    }
  }

  fileprivate func renumbered(_ names: [BufferID: BufferID]) -> Index {
    switch self {
    case .constant, .axis: self
    case .sum(let first, let second): .sum(first.renumbered(names), second.renumbered(names))
    case .product(let index, let factor): .product(index.renumbered(names), factor)
    case .quotient(let index, let divisor): .quotient(index.renumbered(names), divisor)
    case .remainder(let index, let divisor): .remainder(index.renumbered(names), divisor)
    case .value(let expression): .value(expression.renumbered(names))
    }
  }
}
