/// What went wrong at the boundary of a module, and who can act on it.
package struct GranaryError: Error, Sendable, CustomStringConvertible {
  /// A stable name, which travels on the wire; an unknown one is kept as it is.
  package struct Code: RawRepresentable, Sendable, Hashable {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
  }

  /// Who can act.
  package enum Responsible: String, Sendable, Hashable {
    /// The caller gave something wrong.
    case input
    /// The machine: disk, permissions, tools.
    case environment
    /// A defect in Granary.
    case `internal`
  }

  package var code: Code
  /// Names the thing, says what was expected, and what to do next.
  package var message: String
  package var metadata: [String: String]
  package var responsible: Responsible
  package var underlying: (any Error)?

  package init(
    _ code: Code, _ message: String, responsible: Responsible, metadata: [String: String] = [:],
    underlying: (any Error)? = nil
  ) {
    self.code = code
    self.message = message
    self.metadata = metadata
    self.responsible = responsible
    self.underlying = underlying
  }

  package var description: String { "\(message) [\(code.rawValue)]" }
}

extension GranaryError.Code {
  /// A call of the operating system failed; `metadata["errno"]` has its number.
  package static let system = Self(rawValue: "system")
  /// The disk or the quota is full.
  package static let diskFull = Self(rawValue: "disk-full")
  /// The directory or file may not be written.
  package static let notWritable = Self(rawValue: "not-writable")
  /// The file is larger than the reader allows.
  package static let tooLarge = Self(rawValue: "too-large")
}
