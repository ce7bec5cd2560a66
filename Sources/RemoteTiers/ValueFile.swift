import KernelSpec

/// How a value that machines share is kept in a file.
///
/// A blob is a file of its bytes. A record is a file of 32 bytes, the SHA-256 of its address followed by its value,
/// and then the value: so a changed or truncated record, or one under another address, is missing.
enum ValueFile {
  static let sealBytes = 32

  static func encode(_ value: [UInt8], at address: RemoteAddress) -> [UInt8] {
    address.space == .blobs ? value : seal(value, address) + value
  }

  /// - Returns: `nil` for a file that is not what it should be.
  static func decode(_ file: [UInt8], at address: RemoteAddress) -> [UInt8]? {
    switch address.space {
    case .blobs: return address.admits(file) ? file : nil
    case .records:
      let value = Array(file.dropFirst(sealBytes))
      return file.prefix(sealBytes).elementsEqual(seal(value, address)) ? value : nil
    }
  }

  private static func seal(_ value: [UInt8], _ address: RemoteAddress) -> [UInt8] {
    Digest(of: address.digest.bytes + value).bytes
  }
}
