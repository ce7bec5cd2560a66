import DaemonAPI
import Glibc
import KernelSpec
import Support

/// The kernel that holds for a key, as clients read it.
struct PublishedKernel: Codable {
  var key: String
  var verdict: Verdict
  var revision: Int
  var artifact: Digest
  var manifest: Artifact.Manifest
}

/// The spec of a client, as it wrote it: which kernel it means.
struct PublishedSpec: Codable {
  var kernel: Digest
  /// The names of the kernel's inputs, in their order.
  var inputs: [String]
}

/// The folder in which clients find kernels without asking the daemon.
///
/// `artifacts/DIGEST` are the bytes; `kernels/KEY` is a ``PublishedKernel``; `specs/DIGEST` is a ``PublishedSpec``, by
/// the SHA-256 of the spec's text. Every file is read-only, complete when it appears, and not synced: what a crash
/// damages fails the clients' checks and is a miss. The time of modification of a kernel is when a client used it
/// last, or 0.
struct PublishedFolder: Sendable {
  private static let limitBytes = 1 << 20
  private let files = LocalFileSystem()
  let path: String

  /// Makes the folder, and empties it when it was filled by another version or for other hardware.
  ///
  /// - Throws: `GranaryError` when it cannot be made.
  init(path: String, identity: String) throws {
    self.path = path
    for part in ["specs", "kernels", "artifacts"] { try files.createDirectory("\(path)/\(part)") }
    let bytes = Array(identity.utf8)
    guard try files.read(path + "/identity", limitBytes: Self.limitBytes) != bytes else { return }
    for part in ["specs", "kernels", "artifacts"] {
      for name in try files.list("\(path)/\(part)") { try files.remove("\(path)/\(part)/\(name)") }
    }
    try files.write(bytes, atomicallyTo: path + "/identity")
  }

  func place(ofSpec digest: Digest) -> String { "\(path)/specs/\(digest.hex)" }
  func place(ofKernel key: Digest) -> String { "\(path)/kernels/\(key.hex)" }
  func place(ofArtifact digest: Digest) -> String { "\(path)/artifacts/\(digest.hex)" }

  /// What the folder held before this daemon: the kernels, and the specs that mean them.
  func contents() -> (kernels: [PublishedKernel], specs: [Digest: PublishedSpec]) {
    let kernels = names("kernels").compactMap {
      decoded(PublishedKernel.self, at: place(ofKernel: $0))
    }
    let specs = names("specs").map { ($0, decoded(PublishedSpec.self, at: place(ofSpec: $0))) }
    return (kernels, specs.reduce(into: [:]) { $0[$1.0] = $1.1 })
  }

  /// Writes a file that clients may read from the moment it has its name.
  func write(_ bytes: [UInt8], to place: String) -> Bool {
    let temporary = "\(place).\(getpid())\(temporaryFileSuffix)"
    // What a process of the same number left behind may not be opened for writing.
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o400)
    guard descriptor >= 0 else { return false }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if count <= 0 && errno != EINTR { break }
      written += max(count, 0)
    }
    let never = [timespec(), timespec()]
    futimens(descriptor, never)
    close(descriptor)
    guard written == bytes.count, rename(temporary, place) == 0 else {
      unlink(temporary)
      return false
    }
    return true
  }

  func holds(_ bytes: [UInt8], at place: String) -> Bool {
    (try? files.read(place, limitBytes: Self.limitBytes)) == bytes
  }

  func remove(_ place: String) { unlink(place) }

  func sizeBytes(at place: String) -> Int? { try? files.sizeBytes(of: place) }

  /// The kernels that clients used since the last call.
  func takeUses() -> [Digest] {
    names("kernels").filter { key in
      var status = stat()
      let place = place(ofKernel: key)
      guard lstat(place, &status) == 0, status.st_mtim.tv_sec != 0 else { return false }
      let never = [timespec(), timespec()]
      return utimensat(AT_FDCWD, place, never, AT_SYMLINK_NOFOLLOW) == 0
    }
  }

  private func names(_ part: String) -> [Digest] {
    (directoryEntries("\(path)/\(part)") ?? []).compactMap(Digest.init(hex:))
  }

  private func decoded<Value: Decodable>(_ type: Value.Type, at place: String) -> Value? {
    guard let bytes = try? files.read(place, limitBytes: Self.limitBytes) else { return nil }
    return try? WireJSON.decode(type, from: bytes)
  }
}
