/// A size that a spec leaves open, with the values that it may take: `lower`, `lower + step`, … up to `upper`.
public struct SizeSymbol: Sendable, Hashable, Codable {
  public var name: String
  public var lower: Int
  /// The largest value; always reached.
  public var upper: Int
  public var step: Int

  public init(_ name: String, _ range: ClosedRange<Int>, step: Int = 1) {
    self.name = name
    self.step = max(step, 1)
    lower = range.lowerBound
    upper = lower + (range.upperBound - lower) / self.step * self.step
  }

  /// How many values it may take.
  public var count: Int { (upper - lower) / step + 1 }

  public func contains(_ value: Int) -> Bool {
    value >= lower && value <= upper && (value - lower).isMultiple(of: step)
  }

  /// The range as the text form writes it: `1...4096`, `8...4096 by 8`.
  public var rangeText: String { "\(lower)...\(upper)" + (step == 1 ? "" : " by \(step)") }
}

extension SpecLimits {
  /// Sizes that one spec may leave open.
  public static let openSizes = 4
  /// Values of all open sizes together: each combination is generated and compared on its own.
  public static let sizeCombinations = 8_192

  /// - Throws: `SpecError` with code `limit` or `type`.
  static func check(_ range: (lower: Int64, upper: Int64, step: Int64)) throws(SpecError) {
    guard range.lower >= 0, range.upper <= integer else {
      throw SpecError(
        .limit, "the range \(range.lower)...\(range.upper)", expected: "within 0...\(integer)")
    }
    guard range.lower <= range.upper else {
      throw SpecError(.type, "the range \(range.lower)...\(range.upper) is empty")
    }
    guard range.step >= 1 else {
      throw SpecError(.type, "the step \(range.step)", expected: "at least 1")
    }
  }

  /// - Throws: `SpecError` with code `limit`.
  static func check(_ symbols: [SizeSymbol]) throws(SpecError) {
    guard symbols.count <= openSizes else {
      throw SpecError(.limit, "\(symbols.count) open sizes", expected: "at most \(openSizes)")
    }
    // At most 2^31 for each of four symbols, checked as it grows.
    var count = 1
    for symbol in symbols {
      count *= symbol.count
      guard count <= sizeCombinations else {
        throw SpecError(
          .limit, "the open sizes have more than \(sizeCombinations) combinations",
          expected: "narrower ranges, or a step: n in 8...4096 by 8")
      }
    }
  }
}
