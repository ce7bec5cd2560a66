/// Finds the specs in a text without building a tree, so that each spec reaches its parser as written.
package enum SpecList {
  /// The first byte that is not white space.
  package static func firstSignificant(_ bytes: some Sequence<UInt8>) -> UInt8? {
    bytes.first { !isSpace($0) }
  }

  /// A spec in a text that may hold several.
  package struct Placed: Sendable, Hashable {
    package var text: String
    /// The line of the text, counted from 1, where the spec begins.
    package var line: Int
  }

  /// The specs in a file or on standard input: JSON specs one after the other, an array of specs, or text
  /// specs, one a line.
  ///
  /// - Throws: `bad-request` when the JSON is not balanced.
  package static func split(_ bytes: [UInt8]) throws(ServiceError) -> [Placed] {
    switch firstSignificant(bytes) {
    case UInt8(ascii: "{"): return placed(try jsonValues(bytes), in: bytes)
    case UInt8(ascii: "["):
      var values: [ArraySlice<UInt8>] = []
      var scanner = JSONScanner(bytes[...])
      try scanner.array { values.append($0) }
      let specs = try arrayOfSpecs(bytes[...])
      return zip(placed(values, in: bytes), specs).map { Placed(text: $1, line: $0.line) }
    default: return lines(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Parts of `bytes`, in their order, with the lines where they begin.
  private static func placed(_ parts: [ArraySlice<UInt8>], in bytes: [UInt8]) -> [Placed] {
    var line = 1
    var position = 0
    return parts.map { part in
      line += bytes[position..<part.startIndex].count { $0 == UInt8(ascii: "\n") }
      position = part.startIndex
      return Placed(text: String(decoding: part, as: UTF8.self), line: line)
    }
  }

  /// Text specs: one a line, `#` starts a comment line, and a line that ends with a semicolon or within
  /// brackets is continued by the next.
  package static func lines(_ text: String) -> [Placed] {
    var specs: [Placed] = []
    var open: Placed?
    var depth = 0
    // Empty and comment lines within a spec stay, so that lines are counted as in the whole text.
    var skipped = 0
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      skipped += 1
      guard let first = line.first(where: { !$0.isWhitespace }), first != "#" else { continue }
      if open == nil { skipped = 0 }
      var spec = open ?? Placed(text: "", line: number + 1)
      open = nil
      spec.text += String(repeating: "\n", count: skipped)
      spec.text += line
      skipped = 0
      depth += balance(of: line)
      if depth > 0 || line.last(where: { !$0.isWhitespace }) == ";" {
        open = spec
        continue
      }
      specs.append(spec)
      depth = 0
    }
    return open.map { specs + [$0] } ?? specs
  }

  /// How many more brackets a line opens than it closes.
  private static func balance(of line: Substring) -> Int {
    line.utf8.reduce(0) {
      switch $1 {
      case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"): $0 + 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"): $0 - 1
      default: $0
      }
    }
  }

  /// The JSON values that follow each other in `bytes`.
  static func jsonValues(_ bytes: [UInt8]) throws(ServiceError) -> [ArraySlice<UInt8>] {
    var values: [ArraySlice<UInt8>] = []
    var scanner = JSONScanner(bytes[...])
    while scanner.skipSpace() != nil { values.append(try scanner.value()) }
    return values
  }

  /// The specs of an envelope; `nil` when `object` has no member `specs`.
  static func envelope(_ object: ArraySlice<UInt8>) throws(ServiceError) -> [String]? {
    var scanner = JSONScanner(object)
    var specs: [String]?
    try scanner.object { (name, value) throws(ServiceError) in
      if name.elementsEqual(Array("\"specs\"".utf8)) { specs = try arrayOfSpecs(value) }
    }
    return specs
  }

  /// The specs of a JSON array, each a string or a JSON spec.
  static func arrayOfSpecs(_ array: ArraySlice<UInt8>) throws(ServiceError) -> [String] {
    var scanner = JSONScanner(array)
    var specs: [String] = []
    try scanner.array { (value) throws(ServiceError) in
      switch value.first {
      case UInt8(ascii: "{"): specs.append(String(decoding: value, as: UTF8.self))
      case UInt8(ascii: "\""):
        do {
          specs.append(try WireJSON.decode(String.self, from: value))
        } catch {
          throw ServiceError(.badRequest, "a spec in 'specs' is not a valid JSON string")
        }
      default:
        throw ServiceError(.badRequest, "each of 'specs' must be a string or a JSON object")
      }
    }
    return specs
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }
}
