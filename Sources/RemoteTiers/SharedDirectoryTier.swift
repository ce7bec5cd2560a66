import Glibc
import KernelSpec
package import Support

/// A directory that machines share, for example over NFS.
///
/// What is in its files says ``ValueFile``.
package struct SharedDirectoryTier: ConditionalTier {
  package let name: String
  private let root: String
  private let fileSystem: any FileSystem

  /// - Parameter root: is made with the first value.
  package init(root: String, fileSystem: any FileSystem = LocalFileSystem()) {
    self.root = root
    self.fileSystem = fileSystem
    name = root
  }

  package func get(_ address: RemoteAddress) async throws -> [UInt8]? {
    let limit = address.limitBytes + ValueFile.sealBytes
    return try fileSystem.read(path(address), limitBytes: limit).flatMap {
      ValueFile.decode($0, at: address)
    }
  }

  package func put(_ bytes: [UInt8], at address: RemoteAddress) async throws {
    try address.check(bytes)
    let path = path(address)
    try fileSystem.createDirectory(path.parentDirectory)
    try fileSystem.write(ValueFile.encode(bytes, at: address), atomicallyTo: path)
  }

  package func contains(_ address: RemoteAddress) async throws -> Bool {
    try fileSystem.sizeBytes(of: path(address)) != nil
  }

  package func see(_ address: RemoteAddress) async throws -> SeenRecord {
    let bytes = try await get(address)
    return SeenRecord(bytes: bytes, version: bytes.map { Digest(of: $0).hex })
  }

  /// Under a lock on a file of the directory, which NFS keeps among machines too.
  package func replace(_ seen: SeenRecord, with bytes: [UInt8], at address: RemoteAddress)
    async throws -> Bool
  {
    try fileSystem.createDirectory(root)
    let lock = try await OwnThread.run { try Self.lock(root + "/lock") }
    defer { lock.release() }
    guard try await see(address).bytes == seen.bytes else { return false }
    try await put(bytes, at: address)
    return true
  }

  /// Waits for a lock that is held for moments only.
  private static func lock(_ path: String) throws -> FileLock {
    for _ in 0..<200 {
      if let lock = try FileLock(path: path) { return lock }
      poll(nil, 0, 10)
    }
    throw GranaryError(
      .tierFailed, "\(path) stays locked by another machine", responsible: .environment)
  }

  private func path(_ address: RemoteAddress) -> String { "\(root)/\(address.path)" }
}
