extension TensorProgram {
  /// The same program without the stages that no output needs, and without their buffers.
  package func withoutDeadStages() -> TensorProgram {
    var needed = Set(outputs)
    for stage in stages.reversed() where needed.contains(stage.output) {
      needed.formUnion(stage.loads.map(\.buffer))
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

extension Stage {
  fileprivate func renumbered(as output: BufferID, _ names: [BufferID: BufferID]) -> Stage {
    var result = mapExpression { $0.renumbered(names) }
    result.output = output
    if let recurrence { result.body = .recurrence(recurrence.renumbered(names)) }
    return result
  }
}

extension Expression {
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
