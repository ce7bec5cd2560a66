/// Why a spec was refused.
///
/// The one error type of this module. Whoever wrote the spec can act on it.
public struct SpecError: Error, Sendable, Hashable {
  public var code: Code
  /// What is wrong, naming the thing.
  public var message: String
  /// Where it is in the text; `nil` when the fault is not at one place.
  public var position: Position?
  /// What would have been right.
  public var expected: String?
  /// Further faults of the same spec, each by itself; what depends on a fault is not judged.
  public internal(set) var others: [SpecError] = []

  /// As many faults of one spec are told.
  static let mostFaults = 32

  public init(
    _ code: Code, _ message: String, at position: Position? = nil, expected: String? = nil
  ) {
    self.code = code
    self.message = message
    self.position = position
    self.expected = expected
  }

  /// A place in a text, both counted from 1; a column is a Unicode scalar.
  public struct Position: Sendable, Hashable, Codable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }
  }

  /// The kind of fault, stable across versions.
  public enum Code: String, Sendable, Hashable, Codable, CaseIterable {
    /// The text is not in the JSON or text form.
    case syntax = "spec.syntax"
    /// A stated limit is exceeded; see `SpecLimits`.
    case limit = "spec.limit"
    /// A name is unknown, repeated or defined after its use.
    case name = "spec.name"
    /// No such operator, or no overload fits the arguments.
    case unknownOperator = "spec.operator"
    /// An argument is missing, unknown or of the wrong kind.
    case argument = "spec.argument"
    /// Types or shapes do not agree.
    case type = "spec.type"
  }
}

extension SpecError: CustomStringConvertible {
  /// A line for each fault.
  public var description: String {
    ([line] + others.map(\.line)).joined(separator: "\n")
  }

  private var line: String {
    let place = position.map { "line \($0.line), column \($0.column): " } ?? ""
    let wanted = expected.map { "; expected \($0)" } ?? ""
    return place + message + wanted
  }
}

extension [SpecError] {
  /// All faults as one error; `nil` for none.
  var joined: SpecError? {
    guard var first else { return nil }
    first.others = Array(dropFirst().prefix(SpecError.mostFaults - 1))
    return first
  }
}

extension SpecError.Position {
  /// The position of the byte at `offset` of `bytes`, which is UTF-8.
  init(of offset: Int, in bytes: [UInt8]) {
    var line = 1
    var column = 1
    for byte in bytes.prefix(offset) {
      if byte == UInt8(ascii: "\n") {
        line += 1
        column = 1
      } else if byte & 0xC0 != 0x80 {
        column += 1
      }
    }
    self.init(line: line, column: column)
  }
}
