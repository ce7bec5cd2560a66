import KernelSpec
package import Support

/// A directory that machines share, for example over NFS.
///
/// A blob is a file of its bytes. A record is a file of 32 bytes, the SHA-256 of its key followed by its value,
/// and then the value: so a changed or truncated record, or one under another key, is missing.
package struct SharedDirectoryTier: RemoteTier {
  private static let sealBytes = 32
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
    let limit = address.limitBytes + Self.sealBytes
    guard let file = try fileSystem.read(path(address), limitBytes: limit) else { return nil }
    switch address.space {
    case .blobs:
      return address.admits(file) ? file : nil
    case .records:
      let value = Array(file.dropFirst(Self.sealBytes))
      return file.prefix(Self.sealBytes).elementsEqual(seal(value, address)) ? value : nil
    }
  }

  package func put(_ bytes: [UInt8], at address: RemoteAddress) async throws {
    try address.check(bytes)
    let file = address.space == .blobs ? bytes : seal(bytes, address) + bytes
    let path = path(address)
    try fileSystem.createDirectory(path.parentDirectory)
    try fileSystem.write(file, atomicallyTo: path)
  }

  package func contains(_ address: RemoteAddress) async throws -> Bool {
    try fileSystem.sizeBytes(of: path(address)) != nil
  }

  private func path(_ address: RemoteAddress) -> String { "\(root)/\(address.path)" }

  private func seal(_ value: [UInt8], _ address: RemoteAddress) -> [UInt8] {
    Digest(of: address.digest.bytes + value).bytes
  }
}
