/// The tokens of the text form, one at a time.
struct TextLexer {
  let bytes: [UInt8]
  private(set) var current = Token(kind: .end, offset: 0)
  private var offset = 0
  private var failure: SpecError?
  /// The values of open sizes, by name.
  var sizes: [String: Int64] = [:]

  struct Token: Hashable {
    var kind: Kind
    var offset: Int
  }

  enum Kind: Hashable {
    /// Letters, digits, underscores and points, beginning with a letter or underscore.
    case word(String)
    case integer(Int64)
    case real(Double)
    case string(String)
    case symbol(Character)
    case end
  }

  /// Begins with the first token. A fault in it is reported by the first use.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    do { try advance() } catch { failure = error }
  }

  func position(of offset: Int) -> SpecError.Position { .init(of: offset, in: bytes) }

  func unexpected(_ expected: String) -> SpecError {
    if let failure { return failure }
    let found =
      switch current.kind {
      case .word(let word): "found '\(word)'"
      case .integer(let value): "found \(value)"
      case .real(let value): "found \(value)"
      case .string(let value): "found \"\(value)\""
      case .symbol(let symbol): "found '\(symbol)'"
      case .end: "the text ends"
      }
    return SpecError(.syntax, found, at: position(of: current.offset), expected: expected)
  }

  /// Skips `symbol`, which must come next.
  mutating func skip(_ symbol: Character) throws(SpecError) {
    guard current.kind == .symbol(symbol) else { throw unexpected("'\(symbol)'") }
    try advance()
  }

  /// Whether `symbol` came next; it is skipped.
  mutating func skips(_ symbol: Character) throws(SpecError) -> Bool {
    guard current.kind == .symbol(symbol) else { return false }
    try advance()
    return true
  }

  /// The token after the current one.
  func following() throws(SpecError) -> Token {
    var copy = self
    try copy.advance()
    return copy.current
  }

  mutating func advance() throws(SpecError) {
    if let failure { throw failure }
    skipSpaceAndComments()
    guard offset < bytes.count else {
      current = Token(kind: .end, offset: offset)
      return
    }
    let start = offset
    current = Token(kind: try token(bytes[offset]), offset: start)
  }

  private mutating func skipSpaceAndComments() {
    while offset < bytes.count {
      if bytes[offset] == UInt8(ascii: "#"), offset + 1 < bytes.count, bytes[offset + 1] == 0x20 {
        while offset < bytes.count, bytes[offset] != 0x0A { offset += 1 }
      } else if [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) {
        offset += 1
      } else {
        return
      }
    }
  }

  private mutating func token(_ first: UInt8) throws(SpecError) -> Kind {
    if Self.isWordStart(first) { return .word(take(while: Self.isWordPart)) }
    if Self.isDigit(first) || beginsNegative { return try number() }
    if bytes[offset...].starts(with: "...".utf8) {
      offset += 3
      return .symbol("…")
    }
    if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") { return try string(first) }
    let scalar = UnicodeScalar(first)
    guard "()[]{},:;=%#+-*/".unicodeScalars.contains(scalar) else {
      throw SpecError(
        .syntax, "a character that has no meaning here", at: position(of: offset),
        expected: "a name, a number, a string or one of ()[]{},:;=%#+-*/")
    }
    offset += 1
    return .symbol(Character(scalar))
  }

  /// Whether a minus with the digits of a number, or `inf`, comes next.
  private var beginsNegative: Bool {
    guard bytes[offset] == UInt8(ascii: "-"), offset + 1 < bytes.count else { return false }
    return Self.isDigit(bytes[offset + 1]) || bytes[(offset + 1)...].starts(with: "inf".utf8)
  }

  private mutating func take(while accept: (UInt8) -> Bool) -> String {
    let start = offset
    while offset < bytes.count, accept(bytes[offset]) { offset += 1 }
    return String(decoding: bytes[start..<offset], as: UTF8.self)
  }

  private mutating func number() throws(SpecError) -> Kind {
    let start = offset
    if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    if bytes[offset...].starts(with: "inf".utf8) {
      offset += 3
      return .real(-.infinity)
    }
    guard !take(while: Self.isDigit).isEmpty else {
      throw SpecError(.syntax, "not a number", at: position(of: start), expected: "digits")
    }
    var isReal = false
    if offset < bytes.count, bytes[offset] == UInt8(ascii: "."),
      !bytes[offset...].starts(with: "...".utf8)
    {
      isReal = true
      offset += 1
      _ = take(while: Self.isDigit)
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      isReal = true
      offset += 1
      if offset < bytes.count, bytes[offset] == 0x2B || bytes[offset] == 0x2D { offset += 1 }
      _ = take(while: Self.isDigit)
    }
    var literal = bytes[start..<offset]
    if literal.last == UInt8(ascii: ".") { literal.append(UInt8(ascii: "0")) }
    let value = try NumberLiteral.value(literal, isReal: isReal) {
      (message) in SpecError(.limit, message, at: position(of: start))
    }
    switch value {
    case .integer(let integer): return .integer(integer)
    case .real(let real): return .real(real)
    default: throw SpecError(.syntax, "not a number", at: position(of: start))
    }
  }

  private mutating func string(_ quote: UInt8) throws(SpecError) -> Kind {
    let start = offset
    offset += 1
    let content = take { $0 != quote && $0 != 0x0A }
    guard offset < bytes.count, bytes[offset] == quote else {
      throw SpecError(.syntax, "a string without end", at: position(of: start))
    }
    offset += 1
    return .string(content)
  }

  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
  static func isWordStart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
  }
  static func isWordPart(_ byte: UInt8) -> Bool {
    isWordStart(byte) || isDigit(byte) || byte == UInt8(ascii: ".")
  }
}
