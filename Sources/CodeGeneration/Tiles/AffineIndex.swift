package import KernelSpec
package import TensorProgram

/// An index as a constant plus multiples of atoms, where an atom is an axis, a quotient, a remainder or a
/// value read from data.
package struct AffineIndex: Sendable, Hashable {
  package var constant = 0
  /// Every atom once, with a coefficient that is not zero, in order of first appearance.
  package var terms: [Term] = []

  package struct Term: Sendable, Hashable {
    package var atom: Index
    package var coefficient: Int
  }

  package init(_ index: Index) { add(index, times: 1) }

  /// The position in memory of the element at `indices`, in elements.
  package init(_ indices: [Index], strides: [Int]) {
    for (index, stride) in zip(indices, strides) { add(index, times: stride) }
  }

  private mutating func add(_ index: Index, times factor: Int) {
    switch index {
    case .constant(let value): constant += value * factor
    case .sum(let first, let second):
      add(first, times: factor)
      add(second, times: factor)
    case .product(let inner, let multiplier): add(inner, times: factor * multiplier)
    case .axis, .quotient, .remainder, .value: add(atom: index, times: factor)
    }
  }

  private mutating func add(atom: Index, times factor: Int) {
    guard factor != 0 else { return }
    guard let position = terms.firstIndex(where: { $0.atom == atom }) else {
      return terms.append(Term(atom: atom, coefficient: factor))
    }
    terms[position].coefficient += factor
    if terms[position].coefficient == 0 { terms.remove(at: position) }
  }

  /// The multiple of `axis` itself, not counting what is inside other atoms.
  package func coefficient(of axis: Axis) -> Int {
    terms.first { $0.atom == .axis(axis) }?.coefficient ?? 0
  }

  /// Whether the index is linear in `axis`: the axis is inside no other atom.
  package func isLinear(in axis: Axis) -> Bool {
    terms.allSatisfy { $0.atom == .axis(axis) || !$0.atom.uses(axis) }
  }

  /// The factor of each axis, not counting what is inside other atoms.
  package var factors: [Axis: Int] {
    var factors: [Axis: Int] = [:]
    for term in terms { if case .axis(let axis) = term.atom { factors[axis] = term.coefficient } }
    return factors
  }

  /// The terms that are no multiples of an axis.
  package var others: [Term] {
    terms.filter { if case .axis = $0.atom { false } else { true } }
  }

  /// The smallest and largest value; `nil` when a term is no multiple of an axis.
  package var bounds: ClosedRange<Int>? {
    guard others.isEmpty else { return nil }
    var low = constant
    var high = constant
    for (axis, factor) in factors {
      let reach = factor * max(axis.extent - 1, 0)
      low += min(reach, 0)
      high += max(reach, 0)
    }
    return low...high
  }

  package mutating func removeTerm(of axis: Axis) {
    terms.removeAll { $0.atom == .axis(axis) }
  }

  /// The same index with its axes in order of their numbers, then the other terms.
  package var ordered: Index {
    var sorted = self
    sorted.terms = factors.sorted { $0.key.id < $1.key.id }
      .map { Term(atom: .axis($0.key), coefficient: $0.value) }
    sorted.terms += others
    return sorted.index
  }

  package var index: Index {
    let multiples = terms.map { $0.coefficient == 1 ? $0.atom : .product($0.atom, $0.coefficient) }
    guard let first = multiples.first else { return .constant(constant) }
    let sum = multiples.dropFirst().reduce(first) { .sum($0, $1) }
    return constant == 0 ? sum : .sum(sum, .constant(constant))
  }
}

extension Index {
  /// Whether the index varies with `axis`.
  package func uses(_ axis: Axis) -> Bool {
    switch self {
    case .constant: false
    case .axis(let other): other == axis
    case .sum(let first, let second): first.uses(axis) || second.uses(axis)
    case .product(let inner, _), .quotient(let inner, _), .remainder(let inner, _):
      inner.uses(axis)
    case .value(let expression): expression.uses(axis)
    }
  }
}

extension Expression {
  /// Whether the expression mentions `axis`.
  package func uses(_ axis: Axis) -> Bool {
    var found = false
    visitIndices { found = found || $0.uses(axis) }
    return found
  }

  /// Calls `visit` with every index that stands directly in this expression, and not with those inside them.
  package func visitIndices(_ visit: (Index) -> Void) {
    switch self {
    case .real, .integer: break
    case .index(let index, _), .inRange(let index, _, _): visit(index)
    case .load(_, _, let indices): indices.forEach(visit)
    case .unary(_, let operand), .cast(_, let operand): operand.visitIndices(visit)
    case .binary(_, let first, let second):
      first.visitIndices(visit)
      second.visitIndices(visit)
    case .select(let condition, let first, let second):
      condition.visitIndices(visit)
      first.visitIndices(visit)
      second.visitIndices(visit)
    }
  }

  /// Calls `visit` with every expression: this one, its operands, and those inside indices.
  package func visit(_ visit: (Expression) -> Void) {
    visit(self)
    switch self {
    case .real, .integer: break
    case .index(let index, _), .inRange(let index, _, _): index.visitExpressions(visit)
    case .load(_, _, let indices): indices.forEach { $0.visitExpressions(visit) }
    case .unary(_, let operand), .cast(_, let operand): operand.visit(visit)
    case .binary(_, let first, let second):
      first.visit(visit)
      second.visit(visit)
    case .select(let condition, let first, let second):
      condition.visit(visit)
      first.visit(visit)
      second.visit(visit)
    }
  }

  /// The expression with every load and index replaced, from the inside out.
  package func mapped(
    load: (BufferID, DType, [Index]) -> Expression = { .load($0, $1, $2) },
    index: (Index) -> Index = { $0 }
  ) -> Expression {
    switch self {
    case .real, .integer: self
    case .index(let inner, let type):
      .index(inner.mapped(load: load, index: index), type)
    case .inRange(let inner, let lower, let upper):
      .inRange(inner.mapped(load: load, index: index), lower: lower, upper: upper)
    case .load(let buffer, let type, let indices):
      load(buffer, type, indices.map { $0.mapped(load: load, index: index) })
    case .unary(let operation, let operand):
      .unary(operation, operand.mapped(load: load, index: index))
    case .cast(let type, let operand): .cast(type, operand.mapped(load: load, index: index))
    case .binary(let operation, let first, let second):
      .binary(
        operation, first.mapped(load: load, index: index), second.mapped(load: load, index: index))
    case .select(let condition, let first, let second):
      .select(
        condition.mapped(load: load, index: index), first.mapped(load: load, index: index),
        second.mapped(load: load, index: index))
    }
  }
}

extension Index {
  func visitExpressions(_ visit: (Expression) -> Void) {
    switch self {
    case .constant, .axis: break
    case .sum(let first, let second):
      first.visitExpressions(visit)
      second.visitExpressions(visit)
    case .product(let inner, _), .quotient(let inner, _), .remainder(let inner, _):
      inner.visitExpressions(visit)
    case .value(let expression): expression.visit(visit)
    }
  }

  func mapped(
    load: (BufferID, DType, [Index]) -> Expression, index: (Index) -> Index
  ) -> Index {
    switch self {
    case .constant, .axis: index(self)
    case .sum(let first, let second):
      index(.sum(first.mapped(load: load, index: index), second.mapped(load: load, index: index)))
    case .product(let inner, let factor):
      index(.product(inner.mapped(load: load, index: index), factor))
    case .quotient(let inner, let divisor):
      index(.quotient(inner.mapped(load: load, index: index), divisor))
    case .remainder(let inner, let divisor):
      index(.remainder(inner.mapped(load: load, index: index), divisor))
    case .value(let expression): index(.value(expression.mapped(load: load, index: index)))
    }
  }
}
