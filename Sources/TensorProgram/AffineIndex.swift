/// An index as a constant plus multiples of atoms: axes, quotients, remainders and values read from data.
///
/// The normal form in which indexes are simplified and compared.
package struct AffineIndex: Sendable, Hashable {
  package var constant: Int
  /// The coefficient of each atom; never zero.
  package var terms: [Index: Int]

  package init(constant: Int = 0, terms: [Index: Int] = [:]) {
    self.constant = constant
    self.terms = terms
  }

  /// The normal form of `index`, simplified with what is known of the extents of its axes.
  package init(_ index: Index) {
    switch index {
    case .constant(let value): self.init(constant: value)
    case .axis(let axis): self.init(constant: 0, terms: axis.extent == 1 ? [:] : [index: 1])
    case .sum(let first, let second): self = AffineIndex(first) + AffineIndex(second)
    case .product(let operand, let factor): self = AffineIndex(operand) * factor
    case .quotient(let operand, let divisor): self = AffineIndex(operand).quotient(by: divisor)
    case .remainder(let operand, let divisor): self = AffineIndex(operand).remainder(by: divisor)
    case .value(let expression): self.init(terms: [.value(expression): 1])
    }
  }

  /// The values that the index can take; `nil` when a term is read from data.
  package var range: ClosedRange<Int>? {
    var low = constant
    var high = constant
    for (atom, coefficient) in terms {
      guard let atomRange = Self.range(ofAtom: atom) else { return nil }
      let ends = (atomRange.lowerBound * coefficient, atomRange.upperBound * coefficient)
      low += min(ends.0, ends.1)
      high += max(ends.0, ends.1)
    }
    return low...high
  }

  private static func range(ofAtom atom: Index) -> ClosedRange<Int>? {
    switch atom {
    case .axis(let axis): return 0...max(axis.extent - 1, 0)
    case .quotient(let operand, let divisor):
      guard let range = AffineIndex(operand).range else { return nil }
      return floorDivide(range.lowerBound, divisor)...floorDivide(range.upperBound, divisor)
    case .remainder(_, let divisor): return 0...(divisor - 1)
    default: return nil
    }
  }

  static func + (first: AffineIndex, second: AffineIndex) -> AffineIndex {
    var sum = first
    sum.constant += second.constant
    for (atom, coefficient) in second.terms { sum.add(coefficient, of: atom) }
    return sum.recombined()
  }

  static func * (index: AffineIndex, factor: Int) -> AffineIndex {
    if factor == 0 { return AffineIndex() }
    return AffineIndex(
      constant: index.constant * factor, terms: index.terms.mapValues { $0 * factor })
  }

  private mutating func add(_ coefficient: Int, of atom: Index) {
    let total = terms[atom, default: 0] + coefficient
    terms[atom] = total == 0 ? nil : total
  }

  /// Splits into a multiple of `divisor` and a rest whose constant lies in `0..<divisor`.
  private func split(by divisor: Int) -> (multiple: AffineIndex, rest: AffineIndex) {
    let whole = floorDivide(constant, divisor)
    var multiple = AffineIndex(constant: whole)
    var rest = AffineIndex(constant: constant - whole * divisor)
    for (atom, coefficient) in terms {
      if coefficient % divisor == 0 {
        multiple.terms[atom] = coefficient / divisor
      } else {
        rest.terms[atom] = coefficient
      }
    }
    return (multiple, rest)
  }

  private func quotient(by divisor: Int) -> AffineIndex {
    if divisor == 1 { return self }
    let (multiple, rest) = split(by: divisor)
    if let range = rest.range, range.lowerBound >= 0, range.upperBound < divisor {
      return multiple
    }
    return multiple + rest.opaqueQuotient(by: divisor)
  }

  /// A quotient that does not fold, with nested quotients merged.
  private func opaqueQuotient(by divisor: Int) -> AffineIndex {
    if constant == 0, terms.count == 1, let term = terms.first, term.value == 1,
      case .quotient(let inner, let innerDivisor) = term.key
    {
      return AffineIndex(inner).quotient(by: innerDivisor * divisor)
    }
    return AffineIndex(terms: [.quotient(index, divisor): 1])
  }

  private func remainder(by divisor: Int) -> AffineIndex {
    if divisor == 1 { return AffineIndex() }
    let rest = split(by: divisor).rest
    if let range = rest.range, range.lowerBound >= 0, range.upperBound < divisor { return rest }
    if rest.constant == 0, rest.terms.count == 1, let term = rest.terms.first, term.value == 1,
      case .remainder(let inner, let innerDivisor) = term.key, innerDivisor % divisor == 0
    {
      return AffineIndex(inner).remainder(by: divisor)
    }
    return AffineIndex(terms: [.remainder(rest.index, divisor): 1])
  }

  /// Joins `d·(x / d) + x mod d` to `x`.
  private func recombined() -> AffineIndex {
    for (atom, coefficient) in terms {
      guard case .remainder(let operand, let divisor) = atom else { continue }
      let quotient = AffineIndex(operand).quotient(by: divisor) * (divisor * coefficient)
      guard !quotient.terms.isEmpty,
        quotient.terms.allSatisfy({ terms[$0.key] == $0.value })
      else { continue }
      var joined = self
      joined.terms[atom] = nil
      for key in quotient.terms.keys { joined.terms[key] = nil }
      joined.constant -= quotient.constant
      return joined + AffineIndex(operand) * coefficient
    }
    return self
  }

  /// The simplest index that means the same, with terms in a fixed order.
  package var index: Index {
    let ordered = terms.sorted { Self.order($0.key) < Self.order($1.key) }
    var sum: Index?
    for (atom, coefficient) in ordered {
      let term = coefficient == 1 ? atom : .product(atom, coefficient)
      sum = sum.map { .sum($0, term) } ?? term
    }
    guard let sum else { return .constant(constant) }
    return constant == 0 ? sum : .sum(sum, .constant(constant))
  }

  /// Axes first, by their number; then all else by its written form.
  private static func order(_ atom: Index) -> (Int, String) {
    if case .axis(let axis) = atom { return (axis.id, "") }
    return (Int.max, "\(atom)")
  }
}

/// The quotient rounded down, by a positive divisor.
package func floorDivide(_ dividend: Int, _ divisor: Int) -> Int {
  let quotient = dividend / divisor
  return dividend % divisor < 0 ? quotient - 1 : quotient
}
