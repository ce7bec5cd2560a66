/// A number in C text: its type, by C's rules for its spelling, and its value.
struct CNumber {
  /// The type of the constant.
  enum Kind: String {
    case int32 = "int32_t"
    case uint32 = "uint32_t"
    case int64 = "int64_t"
    case uint64 = "uint64_t"
    case float
    case double
  }

  var kind: Kind
  /// As it was written.
  let spelling: String
  /// An integer, or the bits of a `double` that holds the value exactly.
  var value: Int64

  /// Reads a constant with its sign, as `-1`, `0x1.8p-3f`, `128L`; `nil` for one that it does not know.
  init?(_ text: Substring) {
    spelling = String(text)
    let isNegative = text.first == "-"
    let digits = isNegative ? text.dropFirst() : text
    let isHexadecimal = digits.hasPrefix("0x") || digits.hasPrefix("0X")
    let isReal =
      digits.contains(".")
      || digits.contains { isHexadecimal ? "pP".contains($0) : "eE".contains($0) }
    if isReal {
      guard let (kind, real) = Self.real(digits) else { return nil }
      self.kind = kind
      value = Int64(bitPattern: (isNegative ? -real : real).bitPattern)
      return
    }
    let suffix = digits.reversed().prefix { "uUlL".contains($0) }
    let body = digits.dropLast(suffix.count).dropFirst(isHexadecimal ? 2 : 0)
    // A leading zero would be octal.
    guard isHexadecimal || body == "0" || body.first != "0",
      let magnitude = Int64(body, radix: isHexadecimal ? 16 : 10)
    else { return nil }
    let isUnsigned = suffix.contains { "uU".contains($0) }
    let isLong = suffix.contains { "lL".contains($0) } || magnitude > Int64(Int32.max)
    // A hexadecimal constant beyond `int` is `unsigned`; none depends on a size.
    guard !(isHexadecimal && magnitude > Int64(Int32.max)) else { return nil }
    guard !(isUnsigned && isNegative) else { return nil }
    kind = isUnsigned ? (isLong ? .uint64 : .uint32) : isLong ? .int64 : .int32
    value = isNegative ? -magnitude : magnitude
  }

  private static func real(_ digits: Substring) -> (Kind, Double)? {
    if digits.last == "f" || digits.last == "F" {
      // Not by way of `double`: that would round twice.
      return Float(digits.dropLast()).map { (.float, Double($0)) }
    }
    return Double(digits).map { (.double, $0) }
  }
}
