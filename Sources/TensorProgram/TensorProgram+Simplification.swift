import KernelSpec

extension TensorProgram {
  /// The same program with simplified expressions and without stages that no output needs.
  package func simplified() -> TensorProgram {
    var result = self
    result.stages = stages.map { $0.mapExpression(\.simplified) }.neededFor(outputs)
    return result
  }
}

extension Stage {
  /// The expression whose values the stage stores, combines or orders; a zero for a recurrence, which has none.
  package var value: Expression {
    switch body {
    case .map(let value), .reduce(_, _, let value), .scan(_, _, let value): value
    case .scatter(let scatter): scatter.value
    case .sort(let sort): sort.value
    case .recurrence(let recurrence): .number(0, recurrence.stateType.dtype)
    }
  }

  /// The stage with its expression replaced; a recurrence as it is.
  func mapExpression(_ transform: (Expression) -> Expression) -> Stage {
    var result = self
    switch body {
    case .map(let value): result.body = .map(transform(value))
    case .reduce(let axes, let combiner, let value):
      result.body = .reduce(axes: axes, combiner: combiner, value: transform(value))
    case .scan(let dimension, let combiner, let value):
      result.body = .scan(dimension: dimension, combiner: combiner, value: transform(value))
    case .scatter(let scatter): result.body = .scatter(scatter.mapExpressions(transform))
    case .sort(let sort): result.body = .sort(sort.mapExpression(transform))
    case .recurrence: break
    }
    return result
  }

  /// The axes that are combined away; empty unless the stage is a reduction.
  package var reductionAxes: [Axis] {
    if case .reduce(let axes, _, _) = body { axes } else { [] }
  }

  /// How often the stage's expression is evaluated.
  package var iterationCount: Int {
    switch body {
    case .scatter(let scatter):
      return (scatter.shared(of: domain) + scatter.axes).reduce(1) { $0 * $1.extent }
    case .sort(let sort):
      let rows = domain.indices.reduce(1) { $1 == sort.dimension ? $0 : $0 * domain[$1].extent }
      // Each of n elements is compared with about log n others.
      let length = sort.axis.extent
      return rows * length * (Int.bitWidth - length.leadingZeroBitCount)
    case .recurrence(let recurrence):
      return recurrence.steps * recurrence.body.stages.reduce(0) { $0 + $1.iterationCount }
    case .map, .reduce, .scan: break
    }
    return (domain + reductionAxes).reduce(1) { $0 * $1.extent }
  }

  /// Whether the stage is a sum of products of two factors that each vary where the other does not: a matrix
  /// product, batched or not, or a convolution.
  package var isContraction: Bool {
    guard case .reduce(let axes, .sum, .binary(.multiply, let first, let second)) = body,
      !first.loads.isEmpty, !second.loads.isEmpty
    else { return false }
    let reduced = Set(axes)
    let (left, right) = (first.axes, second.axes)
    guard !left.isDisjoint(with: reduced), !right.isDisjoint(with: reduced) else { return false }
    let onlyLeft = left.subtracting(right).subtracting(reduced)
    let onlyRight = right.subtracting(left).subtracting(reduced)
    return onlyLeft.contains { $0.extent > 1 } && onlyRight.contains { $0.extent > 1 }
  }
}

extension [Stage] {
  /// The stages that `outputs` depend on.
  func neededFor(_ outputs: [BufferID]) -> [Stage] {
    var needed = Set(outputs)
    var kept: [Stage] = []
    for stage in reversed() where needed.contains(stage.output) {
      needed.formUnion(stage.loads.map(\.buffer))
      kept.append(stage)
    }
    return kept.reversed()
  }
}
