import KernelSpec
import TensorProgram

/// Loops over axes that leave out what conditions exclude: where a condition bounds an axis the loop is shorter, and
/// another condition is asked as soon as its axes are known.
struct GuardedLoops {
  private let printer: ReferencePrinter
  private var guards: [Expression]
  private var known: Set<Axis>
  private var heads: [String] = []
  private var tails: [String] = []

  /// - Parameters:
  ///   - guards: conditions on axes.
  ///   - known: the axes that have values outside these loops.
  init(_ guards: [Expression], known: Set<Axis>, printer: ReferencePrinter) {
    self.guards = guards
    self.known = known
    self.printer = printer
    ask()
  }

  /// Opens a loop over the first elements of parts of `axis`, none of which a condition excludes, inside the others.
  mutating func open(_ axis: Axis, inPartsOf count: Int, from: Int, to: Int) {
    let first = ReferenceTiling.first(of: axis)
    heads.append("for (int64_t \(first) = \(from); \(first) < \(to); \(first) += \(count)) {")
    tails.append("}")
    known.insert(axis)
  }

  /// Opens the next loop inside the others.
  mutating func open(_ axis: Axis, from: String = "0", to: String? = nil) {
    known.insert(axis)
    var (first, last) = (from, to ?? "\(axis.extent)")
    guards.removeAll { condition in
      guard condition.axes.isSubset(of: known), let bounds = printer.bounds(of: axis, in: condition)
      else { return false }
      (first, last) = ("latest(\(first), \(bounds.from))", "earliest(\(last), \(bounds.to))")
      return true
    }
    let id = axis.id
    heads.append(
      "{ const int64_t from\(id) = \(first), to\(id) = \(last); "
        + "for (int64_t i\(id) = from\(id); i\(id) < to\(id); i\(id)++) {")
    tails.append("} }")
    ask()
  }

  private mutating func ask() {
    for condition in guards where condition.axes.isSubset(of: known) {
      heads.append("if (\(printer.term(condition).value)) {")
      tails.append("}")
    }
    guards.removeAll { $0.axes.isSubset(of: known) }
  }

  func around(_ body: [String]) -> [String] { heads + body + tails }
}

extension ReferencePrinter {
  /// The values of `axis` for which an index that grows or shrinks with it is in its range.
  fileprivate func bounds(of axis: Axis, in condition: Expression) -> (from: String, to: String)? {
    guard case .inRange(let index, let lower, let upper) = condition,
      case .index(let first, _) = Expression.index(index, .i64).substituting([axis: .constant(0)])
    else { return nil }
    let rest = text(first)
    switch index.step(along: axis) {
    case 1: return ("\(lower) - \(rest)", "\(upper) - \(rest)")
    case -1: return ("\(rest) - \(upper - 1)", "\(rest) - \(lower - 1)")
    default: return nil
    }
  }
}

extension Expression {
  /// Conditions on axes alone without which the value is what `combiner` begins with, and the value where all of
  /// them hold.
  func guarded(in combiner: Combiner) -> (guards: [Expression], value: Expression) {
    guard case .select(let condition, let value, let other) = self,
      other.isIdentity(of: combiner), condition.loads.isEmpty
    else { return ([], self) }
    let inner = value.guarded(in: combiner)
    return (condition.conjuncts + inner.guards, inner.value)
  }

  var conjuncts: [Expression] {
    guard case .binary(.logicalAnd, let first, let second) = self else { return [self] }
    return first.conjuncts + second.conjuncts
  }

  private func isIdentity(of combiner: Combiner) -> Bool {
    switch (combiner, self) {
    case (.sum, .real(0, _)), (.sum, .integer(0, _)), (.maximum, .real(-.infinity, _)),
      (.minimum, .real(.infinity, _)):
      true
    default: false
    }
  }
}

extension Index {
  /// By how much the index grows when `axis` advances by one; `nil` where that varies.
  func step(along axis: Axis) -> Int? {
    switch self {
    case .constant: return 0
    case .axis(let other): return other == axis ? 1 : 0
    case .sum(let first, let second):
      guard let one = first.step(along: axis), let two = second.step(along: axis) else {
        return nil
      }
      return one + two
    case .product(let inner, let factor): return inner.step(along: axis).map { $0 * factor }
    case .quotient, .remainder, .value: return uses(axis) ? nil : 0
    }
  }
}
