extension Spec {
  /// Reads a spec in the JSON form, when the first character is `{`, or in the text form.
  ///
  /// - Throws: `SpecError` with the position of the fault.
  public static func parse(_ text: String) throws(SpecError) -> Spec {
    var copy = text
    return try parse(copy.withUTF8 { Array($0) }, at: nil)
  }

  /// The spec of a family at `sizes`, one for each of ``symbols``.
  ///
  /// - Throws: `SpecError` for sizes at which it is wrong, and for a spec that was not read from a text.
  public func instance(at sizes: [Int]) throws(SpecError) -> Spec {
    guard sizes.count == symbols.count, !source.bytes.isEmpty else {
      throw SpecError(.argument, "\(sizes.count) sizes", expected: "\(symbols.count)")
    }
    return try Self.parse(
      source.bytes,
      at: Dictionary(zip(symbols.map(\.name), sizes.map(Int64.init))) { first, _ in first })
  }

  /// - Parameter sizes: the open sizes by name; without them the spec is read at the smallest.
  private static func parse(_ bytes: [UInt8], at sizes: [String: Int64]?) throws(SpecError) -> Spec
  {
    guard bytes.count <= SpecLimits.textBytes else {
      throw SpecError(
        .limit, "a spec of \(bytes.count) bytes", expected: "at most \(SpecLimits.textBytes)")
    }
    let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if first == UInt8(ascii: "{") {
      return try SpecDecoder.decode(try JSONParser.parse(bytes), bytes: bytes, at: sizes)
    }
    return try TextParser.parse(bytes, at: sizes)
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
