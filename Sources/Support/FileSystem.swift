/// The operations on files that a store needs. Safe to use from any thread.
///
/// Errors are ``GranaryError`` with the codes `system`, `disk-full`, `not-writable` and
/// `too-large`.
package protocol FileSystem: Sendable {
  /// - Returns: `nil` when there is no such file.
  func read(_ path: String, limitBytes: Int) throws -> [UInt8]?
  /// Replaces the file as a whole. Returns only when both the contents and the name are durable:
  /// the temporary file is synced, renamed, and its directory synced. A reader sees the old or the
  /// new contents.
  func write(_ bytes: [UInt8], atomicallyTo path: String) throws
  /// The names in a directory in no order, or nothing when there is no such directory.
  func list(_ directory: String) throws -> [String]
  /// Does nothing when there is no such file.
  func remove(_ path: String) throws
  func rename(_ source: String, to destination: String) throws
  /// Creates the directory and its missing parents with mode 0700.
  func createDirectory(_ path: String) throws
  /// - Returns: `nil` when there is no such file.
  func sizeBytes(of path: String) throws -> Int?
  /// The space that an ordinary user may still fill.
  func freeBytes(at path: String) throws -> Int
}

/// The suffix of names that ``FileSystem/write(_:atomicallyTo:)`` uses before the rename. A
/// leftover one is from a crash and may be removed.
package let temporaryFileSuffix = ".tmp"

extension String {
  /// The part of a path before the last slash: `.` for a bare name.
  package var parentDirectory: String {
    guard let slash = lastIndex(of: "/") else { return "." }
    return slash == startIndex ? "/" : String(self[..<slash])
  }
}
