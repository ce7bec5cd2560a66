/// Finds the specs in a text without building a tree, so that each spec reaches its parser as written.
package enum SpecList {
  /// The first byte that is not white space.
  package static func firstSignificant(_ bytes: some Sequence<UInt8>) -> UInt8? {
    bytes.first { !isSpace($0) }
  }

  /// The specs in a file or on standard input: JSON specs one after the other, an array of specs, or text
  /// specs, one a line.
  ///
  /// - Throws: `bad-request` when the JSON is not balanced.
  package static func split(_ bytes: [UInt8]) throws(ServiceError) -> [String] {
    switch firstSignificant(bytes) {
    case UInt8(ascii: "{"):
      return try jsonValues(bytes).map { String(decoding: $0, as: UTF8.self) }
    case UInt8(ascii: "["): return try arrayOfSpecs(bytes[...])
    default: return lines(String(decoding: bytes, as: UTF8.self))
    }
  }

  /// Text specs: one a line, `#` starts a comment line, and an open bracket continues on the next line.
  package static func lines(_ text: String) -> [String] {
    var specs: [String] = []
    var open = ""
    for line in text.split(whereSeparator: \.isNewline) {
      let first = line.first { !$0.isWhitespace }
      if first == nil || first == "#" { continue }
      open += open.isEmpty ? String(line) : "\n" + line
      if depth(of: open) > 0 { continue }
      specs.append(open)
      open = ""
    }
    return open.isEmpty ? specs : specs + [open]
  }

  private static func depth(of text: String) -> Int {
    text.utf8.reduce(0) {
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
