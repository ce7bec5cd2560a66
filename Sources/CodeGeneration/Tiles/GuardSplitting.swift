import KernelSpec
import TensorProgram

/// Splits an axis where the guards of padding change, so that its middle part needs none.
struct GuardSplitting {
  let axis: Axis
  let program: TensorProgram

  /// The parts of the axis, in order, each with the stages simplified for it.
  func split(_ stages: [FlatKernel.FlatStage]) -> [(Range<Int>, [FlatKernel.FlatStage])] {
    let middle = guardFreeRange(of: stages)
    let parts = [0..<middle.lowerBound, middle, middle.upperBound..<axis.extent]
    return parts.filter { !$0.isEmpty }.map { ($0, simplified(stages, within: $0)) }
  }

  /// The values of the axis for which every guard that is linear in it holds, whatever the other axes are.
  private func guardFreeRange(of stages: [FlatKernel.FlatStage]) -> Range<Int> {
    var lower = 0
    var upper = axis.extent
    for stage in stages {
      stage.body.value.visit { part in
        guard case .inRange(let index, let from, let to) = part,
          let free = freeRange(index, from: from, to: to)
        else { return }
        lower = max(lower, free.lowerBound)
        upper = min(upper, free.upperBound)
      }
    }
    return lower < upper ? lower..<upper : 0..<axis.extent
  }

  private func freeRange(_ index: Index, from: Int, to: Int) -> Range<Int>? {
    var affine = AffineIndex(index)
    let factor = affine.coefficient(of: axis)
    guard factor > 0, affine.isLinear(in: axis) else { return nil }
    affine.removeTerm(of: axis)
    guard let others = Bounds(program).bounds(of: affine.index) else { return nil }
    let first = max(0, -floorDivide(-(from - others.lowerBound), factor))
    let last = min(axis.extent - 1, floorDivide(to - 1 - others.upperBound, factor))
    return first <= last ? first..<last + 1 : nil
  }

  private func simplified(_ stages: [FlatKernel.FlatStage], within range: Range<Int>)
    -> [FlatKernel.FlatStage]
  {
    var bounds = Bounds(program)
    bounds.ranges[axis] = range.lowerBound...range.upperBound - 1
    return stages.map { stage in
      var stage = stage
      stage.body.value = stage.body.value.decidingGuards(bounds)
      return stage
    }
  }
}

extension Expression {
  /// The expression without the guards that `bounds` decides.
  func decidingGuards(_ bounds: Bounds) -> Expression {
    switch self {
    case .inRange(let index, let lower, let upper):
      bounds.decide(index, lower: lower, upper: upper).map { .integer($0 ? 1 : 0, .bool) } ?? self
    case .select(let condition, let first, let second):
      select(
        condition.decidingGuards(bounds), first.decidingGuards(bounds),
        second.decidingGuards(bounds))
    case .binary(.logicalAnd, let first, let second):
      both(first.decidingGuards(bounds), second.decidingGuards(bounds))
    case .binary(let operation, let first, let second):
      .binary(operation, first.decidingGuards(bounds), second.decidingGuards(bounds))
    case .unary(let operation, let operand): .unary(operation, operand.decidingGuards(bounds))
    case .cast(let type, let operand): .cast(type, operand.decidingGuards(bounds))
    case .real, .integer, .index, .load: self
    }
  }

  private func select(_ condition: Expression, _ first: Expression, _ second: Expression)
    -> Expression
  {
    guard case .integer(let value, _) = condition else { return .select(condition, first, second) }
    return value != 0 ? first : second
  }

  private func both(_ first: Expression, _ second: Expression) -> Expression {
    let yes = Expression.integer(1, .bool)
    if first == yes { return second }
    if second == yes { return first }
    let no = Expression.integer(0, .bool)
    return first == no || second == no ? no : .binary(.logicalAnd, first, second)
  }
}
