import KernelSpec
import TensorProgram

/// Expressions over a few loops, rewritten so that each loop runs over as few axes as possible.
///
/// Every load has one index, its position in memory. Neighbouring axes of a loop whose positions in
/// memory follow each other, in every load, have become one axis (with the identity of the inner
/// one).
struct FlatAccess {
  private(set) var loops: [[Axis]]
  private(set) var expressions: [Expression]
  /// Where each result is stored, in elements.
  private(set) var stores: [AffineIndex]

  /// Rewrites `expressions` and `stores`, which depend on the axes of `loops` and of `fixed`.
  init(
    loops: [[Axis]], expressions: [Expression], stores: [AffineIndex] = [], buffers: [Buffer]
  ) {
    let flat = expressions.map { $0.flattened(buffers).withoutUnitAxes().withoutIdleGuards() }
    self.expressions = flat
    self.stores = stores.map { AffineIndex($0.ordered.withoutUnitAxes()) }
    self.loops = loops.map { $0.filter { $0.extent != 1 } }
    for loop in self.loops.indices { merge(loop) }
  }

  private mutating func merge(_ loop: Int) {
    var position = 0
    while position + 1 < loops[loop].count {
      let outer = loops[loop][position]
      let inner = loops[loop][position + 1]
      guard canMerge(outer, inner) else {
        position += 1
        continue
      }
      let merged = Axis(id: inner.id, extent: outer.extent * inner.extent)
      replace([outer: .constant(0), inner: .axis(merged)])
      loops[loop][position] = merged
      loops[loop].remove(at: position + 1)
    }
  }

  private func canMerge(_ outer: Axis, _ inner: Axis) -> Bool {
    func follow(_ index: AffineIndex) -> Bool {
      index.factors[outer, default: 0] == inner.extent * index.factors[inner, default: 0]
        && index.others.allSatisfy { !$0.atom.depends(on: [outer, inner]) }
    }
    var all = stores.allSatisfy(follow)
    for expression in expressions {
      expression.forEach { part in
        switch part {
        case .load(_, _, let indexes): all = all && indexes.allSatisfy { follow(AffineIndex($0)) }
        case .index(let index, _), .inRange(let index, _, _):
          all = all && !index.depends(on: [outer, inner])
        default: break
        }
      }
    }
    return all
  }

  private mutating func replace(_ replacements: [Axis: Index]) {
    func replaced(_ index: Index) -> Index {
      AffineIndex(index.replacingAxes { replacements[$0] ?? .axis($0) }).ordered
    }
    expressions = expressions.map { $0.replacingIndexes(replaced) }
    stores = stores.map { AffineIndex(replaced($0.ordered)) }
  }
}

extension Index {
  fileprivate func depends(on axes: Set<Axis>) -> Bool {
    var found = false
    forEachAxis { found = found || axes.contains($0) }
    return found
  }

  fileprivate func withoutUnitAxes() -> Index {
    AffineIndex(replacingAxes { $0.extent == 1 ? .constant(0) : .axis($0) }).ordered
  }
}

extension Expression {
  /// The expression with one index, the position in memory, for every load.
  fileprivate func flattened(_ buffers: [Buffer]) -> Expression {
    rewritten { expression in
      guard case .load(let buffer, let type, let indexes) = expression else { return expression }
      let strides = buffers[buffer.position].type.resolvedStrides
      return .load(buffer, type, [AffineIndex(indexes, strides: strides).ordered])
    }
  }

  fileprivate func withoutUnitAxes() -> Expression {
    replacingIndexes { $0.withoutUnitAxes() }
  }

  /// The expression without the guards that always hold.
  fileprivate func withoutIdleGuards() -> Expression {
    rewritten { expression in
      switch expression {
      case .inRange(let index, let lower, let upper):
        guard let bounds = AffineIndex(index).bounds else { return expression }
        return bounds.lowerBound >= lower && bounds.upperBound < upper
          ? .integer(1, .bool) : expression
      case .binary(.logicalAnd, .integer(1, .bool), let other),
        .binary(.logicalAnd, let other, .integer(1, .bool)):
        return other
      case .select(.integer(1, .bool), let chosen, _): return chosen
      default: return expression
      }
    }
  }
}
