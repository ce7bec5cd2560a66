/// A parser of JSON (RFC 8259) that keeps positions, keeps integers and reals apart, and refuses
/// repeated keys, numbers that do not fit, and nesting beyond `SpecLimits.nesting`.
struct JSONParser {
  private let bytes: [UInt8]
  private var offset = 0
  private var depth = 0

  /// - Throws: `SpecError` with code `syntax` or `limit`, with a position.
  static func parse(_ bytes: [UInt8]) throws(SpecError) -> JSONValue {
    var parser = JSONParser(bytes: bytes)
    let value = try parser.value()
    parser.skipSpace()
    guard parser.offset == bytes.count else {
      throw parser.error("text after the end of the spec", expected: "nothing more")
    }
    return value
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      offset += 1
    }
  }

  private func error(
    _ message: String, expected: String? = nil, at place: Int? = nil,
    code: SpecError.Code = .syntax
  ) -> SpecError {
    SpecError(
      code, message, at: .init(of: place ?? offset, in: bytes), expected: expected)
  }

  private var found: String {
    guard let byte = next else { return "the text ends" }
    if byte >= 0x80 { return "found a character outside ASCII" }
    guard byte > 0x20, byte < 0x7F else { return "found a control character" }
    return "found '\(Character(UnicodeScalar(byte)))'"
  }

  private mutating func value() throws(SpecError) -> JSONValue {
    skipSpace()
    let start = offset
    switch next {
    case UInt8(ascii: "{"): return JSONValue(kind: try object(), offset: start)
    case UInt8(ascii: "["): return JSONValue(kind: try array(), offset: start)
    case UInt8(ascii: "\""): return JSONValue(kind: .string(try string()), offset: start)
    case let byte? where byte == UInt8(ascii: "-") || TextLexer.isDigit(byte):
      return JSONValue(kind: try number(), offset: start)
    case UInt8(ascii: "t"): return try literal("true", .boolean(true))
    case UInt8(ascii: "f"): return try literal("false", .boolean(false))
    case UInt8(ascii: "n"): return try literal("null", .null)
    default: throw error(found, expected: "a JSON value")
    }
  }

  private mutating func literal(_ word: String, _ kind: JSONValue.Kind) throws(SpecError)
    -> JSONValue
  {
    guard bytes[offset...].starts(with: word.utf8) else {
      throw error("an unknown word", expected: "true, false or null")
    }
    defer { offset += word.utf8.count }
    return JSONValue(kind: kind, offset: offset)
  }

  private mutating func enter() throws(SpecError) {
    depth += 1
    guard depth <= SpecLimits.nesting else {
      throw error(
        "nested too deeply", expected: "at most \(SpecLimits.nesting) levels", code: .limit)
    }
    offset += 1
    skipSpace()
  }

  private mutating func object() throws(SpecError) -> JSONValue.Kind {
    try enter()
    var members: [JSONValue.Member] = []
    var seen: Set<String> = []
    if next != UInt8(ascii: "}") {
      while true {
        skipSpace()
        let keyOffset = offset
        guard next == UInt8(ascii: "\"") else { throw error(found, expected: "a key in quotes") }
        let key = try string()
        guard seen.insert(key).inserted else {
          throw error("the key \"\(key)\" is given twice", at: keyOffset)
        }
        skipSpace()
        guard next == UInt8(ascii: ":") else { throw error(found, expected: "':'") }
        offset += 1
        members.append(.init(key: key, keyOffset: keyOffset, value: try value()))
        if try !continues(until: UInt8(ascii: "}")) { break }
      }
    }
    offset += 1
    depth -= 1
    return .object(members)
  }

  private mutating func array() throws(SpecError) -> JSONValue.Kind {
    try enter()
    var elements: [JSONValue] = []
    if next != UInt8(ascii: "]") {
      while true {
        elements.append(try value())
        if try !continues(until: UInt8(ascii: "]")) { break }
      }
    }
    offset += 1
    depth -= 1
    return .array(elements)
  }

  /// Skips a comma; whether another element follows instead of `end`.
  private mutating func continues(until end: UInt8) throws(SpecError) -> Bool {
    skipSpace()
    if next == end { return false }
    guard next == UInt8(ascii: ",") else {
      throw error(found, expected: "',' or '\(Character(UnicodeScalar(end)))'")
    }
    offset += 1
    return true
  }

  private mutating func number() throws(SpecError) -> JSONValue.Kind {
    let start = offset
    if next == UInt8(ascii: "-") { offset += 1 }
    let leading = next
    let whole = digits()
    guard whole > 0, !(leading == UInt8(ascii: "0") && whole > 1) else {
      throw error("not a number", expected: "digits without leading zeros", at: start)
    }
    var isReal = false
    if next == UInt8(ascii: ".") {
      isReal = true
      offset += 1
      guard digits() > 0 else { throw error(found, expected: "digits after the point") }
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isReal = true
      offset += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { offset += 1 }
      guard digits() > 0 else { throw error(found, expected: "digits of an exponent") }
    }
    return try NumberLiteral.value(bytes[start..<offset], isReal: isReal) {
      (message) in error(message, at: start, code: .limit)
    }
  }

  /// Skips digits and counts them.
  private mutating func digits() -> Int {
    let start = offset
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { offset += 1 }
    return offset - start
  }

  private mutating func string() throws(SpecError) -> String {
    let start = offset
    offset += 1
    var content: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        return String(decoding: content, as: UTF8.self)
      case UInt8(ascii: "\\"):
        content.append(contentsOf: try escape())
      case 0..<0x20:
        throw error("a control character in a string", expected: "an escape such as \\n")
      default:
        content.append(byte)
        offset += 1
      }
    }
    throw error("a string without end", expected: "'\"'", at: start)
  }

  private mutating func escape() throws(SpecError) -> [UInt8] {
    let start = offset
    offset += 1
    let simple: [UInt8: UInt8] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 0x08, 0x66: 0x0C, 0x6E: 0x0A, 0x72: 0x0D,
      0x74: 0x09,
    ]
    if let byte = next, let value = simple[byte] {
      offset += 1
      return [value]
    }
    guard next == UInt8(ascii: "u") else { throw error("an unknown escape", at: start) }
    var code = try hexadecimal()
    if (0xD800..<0xDC00).contains(code) {
      guard next == UInt8(ascii: "\\") else { throw error("half a surrogate pair", at: start) }
      offset += 1
      guard next == UInt8(ascii: "u") else { throw error("half a surrogate pair", at: start) }
      let low = try hexadecimal()
      guard (0xDC00..<0xE000).contains(low) else {
        throw error("half a surrogate pair", at: start)
      }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = UnicodeScalar(code) else { throw error("half a surrogate pair", at: start) }
    return Array(String(Character(scalar)).utf8)
  }

  /// The four digits after `\u`.
  private mutating func hexadecimal() throws(SpecError) -> UInt32 {
    offset += 1
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80
      else { throw error(found, expected: "four hexadecimal digits") }
      code = code << 4 | UInt32(digit)
      offset += 1
    }
    return code
  }
}

/// The value of the characters of a number.
enum NumberLiteral {
  /// - Throws: what `fail` makes of a message, for a number that does not fit.
  static func value(
    _ characters: ArraySlice<UInt8>, isReal: Bool, fail: (String) -> SpecError
  ) throws(SpecError) -> JSONValue.Kind {
    let text = String(decoding: characters, as: UTF8.self)
    guard characters.count <= SpecLimits.numberBytes else { throw fail("a number too long") }
    if isReal {
      guard let value = Double(text), value.isFinite else {
        throw fail("the number \(text) is not finite; write \"inf\" or \"-inf\"")
      }
      return .real(value)
    }
    guard let value = Int64(text) else { throw fail("the integer \(text) needs over 64 bits") }
    return .integer(value)
  }
}
