import KernelSpec

/// What a number of a kernel is at each combination of sizes, and the C that computes it.
struct SizeColumn: Hashable {
  /// The number's value by the position of the combination; those that do not occur need not be there.
  var values: [Int: Int64]
  /// Whether the values are the bits of `double`.
  var isReal: Bool

  /// How a column is computed.
  enum Rule: Hashable {
    case polynomial(SizeExpression)
    /// `base[i % period] + step * (i / period)` where `i` counts the values of `symbol`.
    case periodic(symbol: Int, base: [Int64], step: Int64)
    /// By the position of the combination.
    case table([Int64])
  }

  /// The simplest rule that gives every value.
  func rule(_ space: SizeSpace) -> Rule {
    polynomial(space).map(Rule.polynomial) ?? periodic(space) ?? table(space)
  }

  private func polynomial(_ space: SizeSpace) -> SizeExpression? {
    let keys = values.keys.sorted()
    let step = max(keys.count / 40, 1)
    // An odd step meets every remainder.
    let sample = stride(from: 0, to: keys.count, by: step | 1).map { keys[$0] } + keys.suffix(1)
    guard
      let found = SizeFit.polynomial(
        sample.map { Int(values[$0] ?? 0) }, at: sample.map(space.sizes))
    else { return nil }
    let isRight = values.allSatisfy { key, value in
      found.value(at: space.sizes(key)) == Int(value)
    }
    return isRight ? found : nil
  }

  private static let periods = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]

  private func periodic(_ space: SizeSpace) -> Rule? {
    for symbol in space.symbols.indices {
      var series: [Int: Int64] = [:]
      let isAlone = values.allSatisfy { key, value in
        series.updateValue(value, forKey: space.index(key, symbol)).map { $0 == value } ?? true
      }
      guard isAlone else { continue }
      for period in Self.periods where period < space.symbols[symbol].count {
        if let found = Self.periodic(series, period) {
          return .periodic(symbol: symbol, base: found.base, step: found.step)
        }
      }
      // The values of one symbol in a row: a period as long as its range.
      let count = space.symbols[symbol].count
      return .periodic(symbol: symbol, base: (0..<count).map { series[$0] ?? 0 }, step: 0)
    }
    return nil
  }

  private static func periodic(_ series: [Int: Int64], _ period: Int) -> (
    base: [Int64], step: Int64
  )? {
    // Two values of one remainder give the step.
    var step: Int64?
    for (index, value) in series where step == nil {
      guard let later = series[index + period] else { continue }
      step = later - value
    }
    guard let step else { return nil }
    var base: [Int: Int64] = [:]
    for (index, value) in series {
      let (multiple, overflow) = step.multipliedReportingOverflow(by: Int64(index / period))
      let (start, second) = value.subtractingReportingOverflow(multiple)
      guard !overflow, !second, base.updateValue(start, forKey: index % period) ?? start == start
      else { return nil }
    }
    return ((0..<period).map { base[$0] ?? 0 }, step)
  }

  private func table(_ space: SizeSpace) -> Rule {
    .table((0..<space.count).map { values[$0] ?? 0 })
  }
}

extension SizeColumn.Rule {
  /// The value at a combination, as the C text computes it.
  func value(_ position: Int, _ space: SizeSpace) -> Int64? {
    switch self {
    case .polynomial(let expression):
      return expression.value(at: space.sizes(position)).map(Int64.init)
    case .periodic(let symbol, let base, let step):
      let index = space.index(position, symbol)
      return base[index % base.count] + step * Int64(index / base.count)
    case .table(let values): return values[position]
    }
  }

  /// The elements of the table that the rule needs.
  var table: [Int64] {
    switch self {
    case .polynomial: []
    case .periodic(_, let base, _): base
    case .table(let values): values
    }
  }

  /// The C expression, in terms of the sizes `s0`, …, their positions `i0`, … and that of the combination.
  func text(table name: String) -> String {
    switch self {
    case .polynomial(let expression):
      if expression.terms.isEmpty { return "0" }
      return expression.terms.map { term in
        (["INT64_C(\(term.coefficient))"] + term.symbols.map(SizeExpression.canonicalName))
          .joined(separator: " * ")
      }.joined(separator: " + ")
    case .periodic(let symbol, let base, let step):
      if base.count == 1 { return "INT64_C(\(base[0])) + INT64_C(\(step)) * i\(symbol)" }
      let entry = "\(name)[i\(symbol) % \(base.count)]"
      return step == 0 ? entry : "\(entry) + INT64_C(\(step)) * (i\(symbol) / \(base.count))"
    case .table: return "\(name)[combination]"
    }
  }
}

/// Every combination of open sizes, numbered with the last symbol's values the fastest.
struct SizeSpace {
  let symbols: [SizeSymbol]
  /// By how many positions two combinations differ that differ by one step of a symbol.
  let distances: [Int]
  let count: Int

  init(_ symbols: [SizeSymbol]) {
    self.symbols = symbols
    var distance = 1
    distances = symbols.reversed().map { symbol in
      defer { distance *= symbol.count }
      return distance
    }.reversed()
    count = distance
  }

  /// Which of a symbol's values a combination has.
  func index(_ position: Int, _ symbol: Int) -> Int {
    position / distances[symbol] % symbols[symbol].count
  }

  func sizes(_ position: Int) -> [Int] {
    symbols.indices.map { symbols[$0].lower + index(position, $0) * symbols[$0].step }
  }

  /// The combinations of smallest and largest sizes.
  var corners: [Int] {
    zip(symbols, distances).reduce([0]) { corners, next in
      corners.flatMap { [$0, $0 + (next.0.count - 1) * next.1] }
    }
  }

  /// The number of a combination; `nil` for sizes outside the ranges.
  func position(_ sizes: [Int]) -> Int? {
    guard sizes.count == symbols.count else { return nil }
    var position = 0
    for (symbol, size) in sizes.enumerated() {
      guard symbols[symbol].contains(size) else { return nil }
      position += (size - symbols[symbol].lower) / symbols[symbol].step * distances[symbol]
    }
    return position
  }
}
