/// The open sizes that a text declares, with the values at which it is read.
struct OpenSizeValues {
  /// The values that an instance is read at; `nil` to read the text at the smallest sizes.
  private let given: [String: Int64]?
  private(set) var values: [String: Int64] = [:]
  private var declared: [SizeSymbol] = []

  init(given: [String: Int64]?) { self.given = given }

  /// The sizes that stay open: none when they were given.
  var open: [SizeSymbol] { given == nil ? declared : [] }

  /// - Throws: `SpecError` with code `name`, `limit` or `type`.
  mutating func declare(_ name: String, _ range: (lower: Int64, upper: Int64, step: Int64))
    throws(SpecError)
  {
    let bytes = Array(name.utf8)
    guard let first = bytes.first, TextLexer.isWordStart(first),
      bytes.allSatisfy({ TextLexer.isWordPart($0) && $0 != UInt8(ascii: ".") })
    else {
      throw SpecError(.name, "the size \"\(name.prefix(32))\"", expected: "a name such as n")
    }
    try SpecLimits.check(name: name)
    guard values[name] == nil else {
      throw SpecError(.name, "the size \(name) is declared twice")
    }
    guard declared.count < SpecLimits.openSizes else {
      throw SpecError(
        .limit, "more than \(SpecLimits.openSizes) open sizes",
        expected: "at most \(SpecLimits.openSizes)")
    }
    try SpecLimits.check(range)
    let symbol = SizeSymbol(name, Int(range.lower)...Int(range.upper), step: Int(range.step))
    declared.append(symbol)
    values[name] = given?[name] ?? range.lower
  }

  /// The value of an expression such as `12*n`.
  func value(parsing text: String) throws(SpecError) -> Int64 {
    var lexer = TextLexer(Array(text.utf8))
    lexer.sizes = values
    let value = try lexer.size()
    guard lexer.current.kind == .end else { throw lexer.unexpected("nothing after the size") }
    return value
  }
}

/// Sizes: sums and products of integers and the names of open sizes; `/` rounds down.
///
///     size    = product { ( "+" | "-" ) product }
///     product = factor { ( "*" | "/" ) factor }
///     factor  = integer | name | "-" factor | "(" size ")"
extension TextLexer {
  /// Whether an expression with open sizes comes next: one's name, or a number before an operator.
  func beginsSize() throws(SpecError) -> Bool {
    if sizes.isEmpty { return false }
    switch current.kind {
    case .word(let name): return sizes[name] != nil
    case .integer:
      let next = try following().kind
      return "+-*/".contains { next == .symbol($0) }
    case .symbol("("), .symbol("-"): return true
    default: return false
    }
  }

  mutating func natural() throws(SpecError) -> Int64 {
    guard case .integer(let value) = current.kind, value >= 0 else {
      throw unexpected("an integer of at least 0")
    }
    try advance()
    return value
  }

  /// Reads a size.
  ///
  /// - Throws: `SpecError`, also for a result beyond 64 bits and a division by less than 1.
  mutating func size(depth: Int = 0) throws(SpecError) -> Int64 {
    var sum = try product(depth)
    while true {
      let place = current.offset
      switch current.kind {
      case .symbol("+"):
        try advance()
        sum = try within(place, sum.addingReportingOverflow(try product(depth)))
      case .symbol("-"):
        try advance()
        sum = try within(place, sum.subtractingReportingOverflow(try product(depth)))
      case .integer(let value) where value < 0:
        // `n -1` and `n-1`: the sign was read with the digits.
        sum = try within(place, sum.addingReportingOverflow(try product(depth)))
      default: return sum
      }
    }
  }

  private mutating func product(_ depth: Int) throws(SpecError) -> Int64 {
    var value = try factor(depth)
    while true {
      let place = current.offset
      if try skips("*") {
        value = try within(place, value.multipliedReportingOverflow(by: try factor(depth)))
      } else if try skips("/") {
        let divisor = try factor(depth)
        guard divisor >= 1 else {
          throw SpecError(
            .argument, "a division by \(divisor)", at: position(of: place), expected: "at least 1")
        }
        value = (value - (value % divisor + divisor) % divisor) / divisor
      } else {
        return value
      }
    }
  }

  private mutating func factor(_ depth: Int) throws(SpecError) -> Int64 {
    guard depth <= SpecLimits.nesting else {
      throw SpecError(
        .limit, "nested too deeply", at: position(of: current.offset),
        expected: "at most \(SpecLimits.nesting)")
    }
    switch current.kind {
    case .integer(let value):
      try advance()
      return value
    case .symbol("-"):
      let place = current.offset
      try advance()
      return try within(place, Int64(0).subtractingReportingOverflow(try factor(depth + 1)))
    case .symbol("("):
      try advance()
      let value = try size(depth: depth + 1)
      try skip(")")
      return value
    case .word(let name):
      guard let value = sizes[name] else {
        throw SpecError(
          .name, "no size is named \(name)", at: position(of: current.offset),
          expected: sizes.keys.sorted().joined(separator: ", "))
      }
      try advance()
      return value
    default: throw unexpected("an integer or the name of a size")
    }
  }

  private func within(_ place: Int, _ result: (partialValue: Int64, overflow: Bool))
    throws(SpecError) -> Int64
  {
    guard !result.overflow else {
      throw SpecError(.limit, "a size is too large", at: position(of: place))
    }
    return result.partialValue
  }
}
