/// A value of a JSON text, with the place where it begins.
struct JSONValue: Sendable {
  var kind: Kind
  /// The offset of its first byte.
  var offset: Int

  indirect enum Kind: Sendable {
    case null
    case boolean(Bool)
    /// A number without fraction and exponent.
    case integer(Int64)
    case real(Double)
    case string(String)
    case array([JSONValue])
    /// The members in order; no key twice.
    case object([Member])
  }

  struct Member: Sendable {
    var key: String
    var keyOffset: Int
    var value: JSONValue
  }

  /// The kind in words, for messages.
  var kindName: String {
    switch kind {
    case .null: "null"
    case .boolean: "a boolean"
    case .integer: "an integer"
    case .real: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }
}
