import FoundationEssentials
import Glibc

/// Measured ceilings, kept as JSON in a file beside the store, by the text of the tuning identity.
///
/// A file that is missing or cannot be decoded holds nothing: the ceilings are measured again. Writing
/// replaces the file as a whole, so a reader never sees half of it.
package struct CeilingsFile: Sendable {
  package var path: String

  package init(path: String) { self.path = path }

  /// What was kept for `hardware`; `nil` when nothing was.
  package func ceilings(for hardware: TuningIdentity) -> Ceilings? {
    contents[hardware.canonicalText]
  }

  /// Keeps `ceilings` for `hardware`, in place of what was kept.
  ///
  /// - Throws: `CeilingsFileError` when the file cannot be written.
  package func keep(_ ceilings: Ceilings, for hardware: TuningIdentity) throws {
    var contents = contents
    contents[hardware.canonicalText] = ceilings
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    let data = try encoder.encode(contents)
    let draft = "\(path).\(getpid())"
    guard write([UInt8](data), to: draft), rename(draft, path) == 0 else {
      let code = errno
      unlink(draft)
      throw CeilingsFileError(path: path, code: code)
    }
  }

  /// What was kept for `hardware`, or what `measure` gives, which is then kept.
  package func ceilings(
    for hardware: TuningIdentity, measuring measure: () -> Ceilings
  ) throws -> Ceilings {
    if let kept = ceilings(for: hardware) { return kept }
    let measured = measure()
    try keep(measured, for: hardware)
    return measured
  }

  private var contents: [String: Ceilings] {
    guard let text = SystemFiles().text(at: path) else { return [:] }
    let decoded = try? JSONDecoder().decode([String: Ceilings].self, from: Data(text.utf8))
    return decoded ?? [:]
  }

  private func write(_ bytes: [UInt8], to path: String) -> Bool {
    guard let file = fopen(path, "we") else { return false }
    let written = fwrite(bytes, 1, bytes.count, file)
    let flushed = fflush(file) == 0 && fsync(fileno(file)) == 0
    return fclose(file) == 0 && flushed && written == bytes.count
  }
}

/// The file of ceilings could not be written.
package struct CeilingsFileError: Error, CustomStringConvertible {
  package var path: String
  /// The value of `errno`.
  package var code: Int32

  package var description: String {
    "cannot write \(path): \(String(cString: strerror(code))); ceilings will be measured again"
  }
}
