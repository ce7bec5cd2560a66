import KernelSpec
import Support

/// The files below `records`: one for each revision, `ab/<key>.<number>`.
struct RecordFiles {
  struct Name: Hashable {
    var key: Digest
    var number: Int

    init(key: Digest, number: Int) {
      self.key = key
      self.number = number
    }

    init?(_ text: String) {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 2, let key = Digest(hex: String(parts[0])), let number = Int(parts[1])
      else { return nil }
      self.init(key: key, number: number)
    }

    var text: String { "\(key.hex).\(number)" }
  }

  struct File {
    var path: String
    /// `nil` for what a crash left behind.
    var name: Name?
  }

  let directory: String
  let files: any FileSystem

  func path(_ name: Name) -> String {
    "\(directory)/records/\(name.key.hex.prefix(2))/\(name.text)"
  }

  /// The names of the folders that they are in.
  func folders() throws -> [String] { try files.list(directory + "/records") }

  /// The folder of keys with a first byte.
  static func folder(ofKeysFrom byte: UInt8) -> String {
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }

  func files(in folder: String) throws -> [File] {
    let path = "\(directory)/records/\(folder)"
    return try files.list(path).map { File(path: "\(path)/\($0)", name: Name($0)) }
  }

  func all() throws -> [File] { try folders().flatMap { try files(in: $0) } }

  func write(_ record: RevisionRecord) throws {
    let path = path(Name(key: record.facts.key, number: record.facts.number))
    try files.createDirectory(path.parentDirectory)
    try files.write(try record.encoded(), atomicallyTo: path)
  }

  /// - Returns: `nil` when there is none that can be believed.
  func read(_ name: Name) -> RevisionRecord? { read(path: path(name)) }

  func read(path: String) -> RevisionRecord? {
    guard let bytes = try? files.read(path, limitBytes: Blob.limitBytes + (1 << 20)) else {
      return nil
    }
    return RevisionRecord(decoding: bytes)
  }

  func remove(_ name: Name) throws { try files.remove(path(name)) }
}
