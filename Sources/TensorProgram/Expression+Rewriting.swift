import KernelSpec

extension Index {
  /// This index with every axis and every expression inside replaced.
  func rewritten(
    axis: (Axis) -> Index?, expression: (Expression) -> Expression
  ) -> Index {
    switch self {
    case .constant: self
    case .axis(let own): axis(own) ?? self
    case .sum(let first, let second):
      .sum(
        first.rewritten(axis: axis, expression: expression),
        second.rewritten(axis: axis, expression: expression))
    case .product(let operand, let factor):
      .product(operand.rewritten(axis: axis, expression: expression), factor)
    case .quotient(let operand, let divisor):
      .quotient(operand.rewritten(axis: axis, expression: expression), divisor)
    case .remainder(let operand, let divisor):
      .remainder(operand.rewritten(axis: axis, expression: expression), divisor)
    case .value(let value): .value(expression(value))
    }
  }

  /// The index in its simplest form.
  package var simplified: Index { AffineIndex(self).index }

  /// The values that the index can take, and perhaps some beyond; `nil` when it is read from data.
  package var range: ClosedRange<Int>? { AffineIndex(self).range }
}

extension Expression {
  /// This expression with `transform` applied to its direct operands and `index` to its indexes.
  func mapChildren(
    _ transform: (Expression) -> Expression, index: (Index) -> Index
  ) -> Expression {
    switch self {
    case .real, .integer: self
    case .index(let own, let type): .index(index(own), type)
    case .load(let buffer, let type, let indexes): .load(buffer, type, indexes.map(index))
    case .unary(let operation, let operand): .unary(operation, transform(operand))
    case .binary(let operation, let first, let second):
      .binary(operation, transform(first), transform(second))
    case .select(let condition, let first, let second):
      .select(transform(condition), transform(first), transform(second))
    case .inRange(let own, let lower, let upper):
      .inRange(index(own), lower: lower, upper: upper)
    case .cast(let type, let operand): .cast(type, transform(operand))
    }
  }

  /// This expression with axes replaced, also inside indexes read from data.
  package func substituting(_ axes: [Axis: Index]) -> Expression {
    mapChildren({ $0.substituting(axes) }) { index in
      index.rewritten(axis: { axes[$0] }, expression: { $0.substituting(axes) }).simplified
    }
  }

  /// Calls `visit` with this expression and every expression inside, also inside indexes.
  package func forEach(_ visit: (Expression) -> Void) {
    visit(self)
    _ = mapChildren(
      {
        $0.forEach(visit)
        return $0
      },
      index: { index in
        index.rewritten(
          axis: { _ in nil },
          expression: {
            $0.forEach(visit)
            return $0
          })
      })
  }

  /// Every load in the expression, in order, once for each occurrence.
  package var loads: [(buffer: BufferID, indexes: [Index])] {
    var found: [(BufferID, [Index])] = []
    forEach { if case .load(let buffer, _, let indexes) = $0 { found.append((buffer, indexes)) } }
    return found
  }

  /// The number of operators, loads and constants.
  var size: Int {
    var count = 0
    forEach { _ in count += 1 }
    return count
  }

  /// The axes that the value depends on.
  package var axes: Set<Axis> {
    var found: Set<Axis> = []
    func note(_ index: Index) {
      _ = index.rewritten(
        axis: {
          found.insert($0)
          return nil
        }, expression: { $0 })
    }
    forEach { expression in
      switch expression {
      case .index(let index, _), .inRange(let index, _, _): note(index)
      case .load(_, _, let indexes): indexes.forEach(note)
      default: break
      }
    }
    return found
  }
}

extension Expression {
  /// The expression with simplified indexes, decided guards folded, and neutral operations dropped.
  ///
  /// Never changes a value, not even the sign of a zero.
  package var simplified: Expression {
    let inner = mapChildren({ $0.simplified }) { index in
      index.rewritten(axis: { _ in nil }, expression: { $0.simplified }).simplified
    }
    switch inner {
    case .inRange(let index, let lower, let upper):
      return Self.foldGuard(index, lower: lower, upper: upper)
    case .select(.integer(let truth, _), let first, let second):
      return truth != 0 ? first : second
    case .select(_, let first, let second) where first == second: return first
    case .cast(let type, let operand) where operand.dtype == type: return operand
    case .cast(let type, .integer(let value, let from)) where from != .bool && type == .f64:
      return .real(Double(value), type)
    case .binary(.logicalAnd, .integer(1, _), let other),
      .binary(.logicalAnd, let other, .integer(1, _)):
      return other
    case .binary(.multiply, .real(1, _), let other), .binary(.multiply, let other, .real(1, _)),
      .binary(.divide, let other, .real(1, _)), .binary(.multiply, .integer(1, _), let other),
      .binary(.multiply, let other, .integer(1, _)), .binary(.add, .integer(0, _), let other),
      .binary(.add, let other, .integer(0, _)):
      return other
    default: return inner
    }
  }

  private static func foldGuard(_ index: Index, lower: Int, upper: Int) -> Expression {
    guard let range = AffineIndex(index).range else {
      return .inRange(index, lower: lower, upper: upper)
    }
    if range.lowerBound >= lower, range.upperBound < upper { return .integer(1, .bool) }
    if range.upperBound < lower || range.lowerBound >= upper { return .integer(0, .bool) }
    return .inRange(index, lower: lower, upper: upper)
  }
}
