extension Spec {
  /// Reads a spec in the JSON form, when the first character is `{`, or in the text form.
  ///
  /// - Throws: `SpecError` with the position of the fault.
  public static func parse(_ text: String) throws(SpecError) -> Spec {
    var copy = text
    let bytes = copy.withUTF8 { Array($0) }
    guard bytes.count <= SpecLimits.textBytes else {
      throw SpecError(
        .limit, "a spec of \(bytes.count) bytes", expected: "at most \(SpecLimits.textBytes)")
    }
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if first == UInt8(ascii: "{") {
      return try SpecDecoder(bytes: bytes).spec(try JSONParser.parse(bytes))
    }
    return try TextParser.parse(bytes)
  }

  /// Reads a spec from bytes, which must be UTF-8.
  ///
  /// - Throws: `SpecError` as `parse(_:)` does, or with code `syntax` for other bytes.
  public static func parse(bytes: [UInt8]) throws(SpecError) -> Spec {
    guard bytes.count <= SpecLimits.textBytes else {
      throw SpecError(
        .limit, "a spec of \(bytes.count) bytes", expected: "at most \(SpecLimits.textBytes)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SpecError(.syntax, "the spec is not UTF-8", expected: "UTF-8 text")
    }
    return try parse(text)
  }
}
