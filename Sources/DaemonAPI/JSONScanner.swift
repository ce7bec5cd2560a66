/// Finds where JSON values begin and end. It checks brackets and strings, not the rest of the grammar: what it
/// finds is decoded or parsed later.
struct JSONScanner {
  /// The nesting beyond which a value is refused.
  static let depthLimit = 512

  private let bytes: ArraySlice<UInt8>
  private var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Moves to the next byte that is not white space and returns it; `nil` at the end.
  mutating func skipSpace() -> UInt8? {
    while position < bytes.endIndex, SpecList.isSpace(bytes[position]) { position += 1 }
    return position < bytes.endIndex ? bytes[position] : nil
  }

  /// The value at the position, which moves behind it.
  mutating func value() throws(ServiceError) -> ArraySlice<UInt8> {
    guard let first = skipSpace() else { throw malformed("expected a value") }
    let start = position
    switch first {
    case UInt8(ascii: "{"), UInt8(ascii: "["): try skipNested()
    case UInt8(ascii: "\""): try skipString()
    default: skipPlain()
    }
    guard position > start else { throw malformed("expected a value") }
    return bytes[start..<position]
  }

  /// Calls `body` with the name, in its quotes, and the value of each member of the object at the position.
  mutating func object(
    _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) throws(ServiceError) -> Void
  ) throws(ServiceError) {
    try expect(UInt8(ascii: "{"))
    if skipSpace() == UInt8(ascii: "}") { return position += 1 }
    repeat {
      let name = try value()
      try expect(UInt8(ascii: ":"))
      try body(name, try value())
    } while try continues(until: UInt8(ascii: "}"))
  }

  /// Calls `body` with each element of the array at the position.
  mutating func array(_ body: (ArraySlice<UInt8>) throws(ServiceError) -> Void)
    throws(ServiceError)
  {
    try expect(UInt8(ascii: "["))
    if skipSpace() == UInt8(ascii: "]") { return position += 1 }
    repeat {
      try body(try value())
    } while try continues(until: UInt8(ascii: "]"))
  }

  private mutating func expect(_ byte: UInt8) throws(ServiceError) {
    guard skipSpace() == byte else {
      throw malformed("expected '\(Character(UnicodeScalar(byte)))'")
    }
    position += 1
  }

  private mutating func continues(until end: UInt8) throws(ServiceError) -> Bool {
    let next = skipSpace()
    guard next == end || next == UInt8(ascii: ",") else {
      throw malformed("expected ',' or '\(Character(UnicodeScalar(end)))'")
    }
    position += 1
    return next != end
  }

  private mutating func skipNested() throws(ServiceError) {
    var depth = 0
    repeat {
      guard position < bytes.endIndex else { throw malformed("a bracket is not closed") }
      switch bytes[position] {
      case UInt8(ascii: "\""):
        try skipString()
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      guard depth <= Self.depthLimit else {
        throw malformed("more than \(Self.depthLimit) nested brackets")
      }
      position += 1
    } while depth > 0
  }

  private mutating func skipString() throws(ServiceError) {
    position += 1
    while position < bytes.endIndex, bytes[position] != UInt8(ascii: "\"") {
      position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
    }
    guard position < bytes.endIndex else { throw malformed("a string is not closed") }
    position += 1
  }

  private mutating func skipPlain() {
    let ends = Array(",:]}[{\"".utf8)
    while position < bytes.endIndex, !ends.contains(bytes[position]),
      !SpecList.isSpace(bytes[position])
    {
      position += 1
    }
  }

  private func malformed(_ what: String) -> ServiceError {
    ServiceError(.badRequest, "malformed JSON at byte \(position - bytes.startIndex): \(what)")
  }
}
