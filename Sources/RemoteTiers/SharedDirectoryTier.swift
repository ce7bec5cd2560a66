import KernelSpec
package import Support

/// A directory that machines share, for example over NFS.
///
/// What is in its files says ``ValueFile``.
package struct SharedDirectoryTier: RemoteTier {
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

  private func path(_ address: RemoteAddress) -> String { "\(root)/\(address.path)" }
}
