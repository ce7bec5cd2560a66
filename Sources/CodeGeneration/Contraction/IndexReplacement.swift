import TensorProgram

extension Index {
  /// The index with every axis replaced.
  func replacingAxes(_ replacement: (Axis) -> Index) -> Index {
    switch self {
    case .constant: self
    case .axis(let axis): replacement(axis)
    case .sum(let first, let second):
      .sum(first.replacingAxes(replacement), second.replacingAxes(replacement))
    case .product(let operand, let factor): .product(operand.replacingAxes(replacement), factor)
    case .quotient(let operand, let divisor):
      .quotient(operand.replacingAxes(replacement), divisor)
    case .remainder(let operand, let divisor):
      .remainder(operand.replacingAxes(replacement), divisor)
    case .value(let expression):
      .value(expression.replacingIndexes { $0.replacingAxes(replacement) })
    }
  }

  /// Calls `body` for every axis that the index depends on.
  func forEachAxis(_ body: (Axis) -> Void) {
    switch self {
    case .constant: break
    case .axis(let axis): body(axis)
    case .sum(let first, let second):
      first.forEachAxis(body)
      second.forEachAxis(body)
    case .product(let operand, _), .quotient(let operand, _), .remainder(let operand, _):
      operand.forEachAxis(body)
    case .value(let expression): expression.forEachIndex { $0.forEachAxis(body) }
    }
  }
}

extension Expression {
  /// The expression with every subexpression rewritten, operands first.
  func rewritten(_ rewrite: (Expression) -> Expression) -> Expression {
    switch self {
    case .real, .integer, .index, .load, .inRange: rewrite(self)
    case .unary(let operation, let operand):
      rewrite(.unary(operation, operand.rewritten(rewrite)))
    case .binary(let operation, let first, let second):
      rewrite(.binary(operation, first.rewritten(rewrite), second.rewritten(rewrite)))
    case .select(let condition, let first, let second):
      rewrite(
        .select(
          condition.rewritten(rewrite), first.rewritten(rewrite), second.rewritten(rewrite)))
    case .cast(let type, let operand): rewrite(.cast(type, operand.rewritten(rewrite)))
    }
  }

  /// The expression with every index replaced.
  func replacingIndexes(_ replacement: (Index) -> Index) -> Expression {
    rewritten { expression in
      switch expression {
      case .index(let index, let type): .index(replacement(index), type)
      case .load(let buffer, let type, let indexes):
        .load(buffer, type, indexes.map(replacement))
      case .inRange(let index, let lower, let upper):
        .inRange(replacement(index), lower: lower, upper: upper)
      default: expression
      }
    }
  }

  /// Calls `body` for every subexpression.
  func forEach(_ body: (Expression) -> Void) {
    body(self)
    switch self {
    case .real, .integer, .index, .load, .inRange: break
    case .unary(_, let operand), .cast(_, let operand): operand.forEach(body)
    case .binary(_, let first, let second):
      first.forEach(body)
      second.forEach(body)
    case .select(let condition, let first, let second):
      condition.forEach(body)
      first.forEach(body)
      second.forEach(body)
    }
  }

  /// Calls `body` for every index.
  func forEachIndex(_ body: (Index) -> Void) {
    forEach { expression in
      switch expression {
      case .index(let index, _), .inRange(let index, _, _): body(index)
      case .load(_, _, let indexes): indexes.forEach(body)
      default: break
      }
    }
  }

  /// The axes that the value depends on.
  var axes: Set<Axis> {
    var found: Set<Axis> = []
    forEachIndex { $0.forEachAxis { found.insert($0) } }
    return found
  }
}
