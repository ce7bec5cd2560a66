extension Index {
  package static func + (_ first: Index, _ second: Index) -> Index {
    switch (first, second) {
    case (.constant(let one), .constant(let two)): .constant(one + two)
    case (.constant(0), let other), (let other, .constant(0)): other
    default: .sum(first, second)
    }
  }

  package static func + (_ first: Index, _ second: Int) -> Index { first + .constant(second) }

  package static func - (_ first: Index, _ second: Int) -> Index { first + .constant(-second) }

  package static func - (_ first: Index, _ second: Index) -> Index { first + second * -1 }

  package static func * (_ index: Index, _ factor: Int) -> Index {
    switch (index, factor) {
    case (_, 0): .constant(0)
    case (_, 1): index
    case (.constant(let value), _): .constant(value * factor)
    default: .product(index, factor)
    }
  }

  /// The quotient rounded down, by a positive divisor.
  ///
  /// A divisor of 0 comes from a dimension without elements: no position is ever evaluated then, and 0 will do.
  package func divided(by divisor: Int) -> Index {
    switch self {
    case _ where divisor == 0: .constant(0)
    case _ where divisor == 1: self
    case .constant(let value): .constant(value.flooredQuotient(divisor))
    default: .quotient(self, divisor)
    }
  }

  /// The remainder in `0..<divisor`, by a positive divisor; 0 for a divisor of 0, as `divided(by:)`.
  package func modulo(_ divisor: Int) -> Index {
    switch self {
    case _ where divisor <= 1: .constant(0)
    case .constant(let value): .constant(value - value.flooredQuotient(divisor) * divisor)
    default: .remainder(self, divisor)
    }
  }

  /// Whether the index depends on elements of a buffer.
  package var readsData: Bool {
    switch self {
    case .constant, .axis: false
    case .sum(let first, let second): first.readsData || second.readsData
    case .product(let index, _), .quotient(let index, _), .remainder(let index, _):
      index.readsData
    case .value: true
    }
  }
}

extension Int {
  /// The quotient rounded down, by a positive divisor.
  package func flooredQuotient(_ divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
