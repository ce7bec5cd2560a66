import FoundationEssentials
import Support

/// Something that was taken out of the way because it is damaged.
package struct QuarantinedFile: Sendable, Hashable, Codable {
  /// Its name below `quarantine`.
  package var name: String
  package var reason: String
  /// Seconds since 1970.
  package var time: Double
}

/// The folder of what is damaged, each with the reason in a file beside it. Nothing is read from here but by people.
struct Quarantine {
  private static let suffix = ".reason"
  let directory: String
  let files: any FileSystem
  let time: any TimeSource

  /// Notes why something was put here. A disk that refuses costs the note, not the repair.
  func note(_ name: String, _ reason: String) {
    let file = QuarantinedFile(name: name, reason: reason, time: time.wallSeconds)
    guard let text = try? StoreJSON.encode(file) else { return }
    try? files.createDirectory(directory)
    try? files.write(Array(text.utf8), atomicallyTo: path(name) + Self.suffix)
  }

  func keep(_ bytes: [UInt8], as name: String, _ reason: String) {
    try? files.createDirectory(directory)
    try? files.write(bytes, atomicallyTo: path(name))
    note(name, reason)
  }

  func move(_ file: String, as name: String, _ reason: String) {
    try? files.createDirectory(directory)
    try? files.rename(file, to: path(name))
    note(name, reason)
  }

  /// Newest first.
  func all() throws -> [QuarantinedFile] {
    try files.list(directory).filter { $0.hasSuffix(Self.suffix) }.compactMap { name in
      guard let bytes = try files.read("\(directory)/\(name)", limitBytes: 1 << 16) else {
        return nil
      }
      return try? StoreJSON.decode(QuarantinedFile.self, String(decoding: bytes, as: UTF8.self))
    }.sorted { ($0.time, $1.name) > ($1.time, $0.name) }
  }

  private func path(_ name: String) -> String { "\(directory)/\(name)" }
}

extension CacheStore {
  var quarantine: Quarantine {
    Quarantine(directory: directory + "/quarantine", files: fileSystem, time: time)
  }

  /// What was taken out of the way, newest first.
  package func quarantined() throws -> [QuarantinedFile] { try quarantine.all() }
}
