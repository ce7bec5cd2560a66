import Glibc
import KernelSpec
package import Support
import Synchronization

/// What other programs keep with Granary: opaque bytes by name, such as Triton's binaries.
///
/// Each is a compressed file that says whose it is: a damaged one, or another's, is a miss. The least recently used
/// go when all together pass the limit. Kernels depend on none of it. Methods may be called from any thread, and
/// block it for the time of the disk operation.
package final class ForeignArtifacts: Sendable {
  /// The most bytes of a name in UTF-8.
  package static let nameLimit = 200
  private static let lowWatermark = 0.9
  private let folder: String
  private let files: any FileSystem
  private let limitBytes: Int
  /// The bytes of all files; `nil` until somebody has counted.
  private let held = Mutex<Int?>(nil)

  /// - Parameter limitBytes: of all compressed files together.
  package init(folder: String, limitBytes: Int, files: any FileSystem = LocalFileSystem()) {
    self.folder = folder
    self.limitBytes = limitBytes
    self.files = files
  }

  /// The bytes that were kept under a name last; `nil` when there are none, or they are damaged.
  package func bytes(of name: String) throws -> [UInt8]? {
    let place = place(of: name)
    guard let file = try files.read(place, limitBytes: Blob.headerBytes + Blob.limitBytes) else {
      return nil
    }
    let label = Self.label(name)
    guard let contents = Blob.decode(file), contents.starts(with: label) else { return nil }
    // The time of the file is that of its last use.
    utimensat(AT_FDCWD, place, nil, AT_SYMLINK_NOFOLLOW)
    return Array(contents[label.count...])
  }

  /// Keeps bytes under a name, in the place of those that it had.
  ///
  /// - Throws: `too-large` for more than a blob may have or than all may have together.
  package func keep(_ bytes: [UInt8], as name: String) throws {
    let contents = Self.label(name) + bytes
    let file = try Blob.encode(contents, digest: Digest(of: contents))
    guard file.count <= limitBytes else {
      throw GranaryError(
        .tooLarge, "'\(name)' has \(file.count) bytes; at most \(limitBytes) are kept in all",
        responsible: .input)
    }
    let place = place(of: name)
    try held.withLock { held in
      let before = try files.sizeBytes(of: place) ?? 0
      try files.createDirectory(place.parentDirectory)
      try files.write(file, atomicallyTo: place)
      let sum = held.map { $0 - before + file.count } ?? all().reduce(0) { $0 + $1.bytes }
      held = try sum > limitBytes ? shrunk(sparing: place) : sum
    }
  }

  /// - Returns: whether there was something under the name.
  package func remove(_ name: String) throws -> Bool {
    let place = place(of: name)
    return try held.withLock { held in
      guard let bytes = try files.sizeBytes(of: place) else { return false }
      try files.remove(place)
      held = held.map { $0 - bytes }
      return true
    }
  }

  /// Removes the least recently used, and gives the bytes that stay.
  private func shrunk(sparing spared: String) throws -> Int {
    let known = all()
    var sum = known.reduce(0) { $0 + $1.bytes }
    for file in known.sorted(by: { $0.used < $1.used }) where file.path != spared {
      guard Double(sum) > Double(limitBytes) * Self.lowWatermark else { break }
      try files.remove(file.path)
      sum -= file.bytes
    }
    return sum
  }

  private func all() -> [(path: String, bytes: Int, used: Double)] {
    (directoryEntries(folder) ?? []).flatMap { shard in
      (directoryEntries("\(folder)/\(shard)") ?? []).compactMap { name in
        let path = "\(folder)/\(shard)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        let used = Double(status.st_mtim.tv_sec) + Double(status.st_mtim.tv_nsec) / 1e9
        return (path, Int(status.st_size), used)
      }
    }
  }

  private func place(of name: String) -> String {
    let digest = Digest(of: name.utf8).hex
    return "\(folder)/\(digest.prefix(2))/\(digest)"
  }

  /// What the bytes of a file begin with, so that none passes for another's.
  private static func label(_ name: String) -> [UInt8] {
    let name = Array(name.utf8)
    return [UInt8(truncatingIfNeeded: name.count)] + name
  }
}
