package import KernelSpec
package import Support

/// The address of a value that several machines share.
package struct RemoteAddress: Sendable, Hashable {
  package enum Space: String, Sendable, Hashable, CaseIterable {
    /// What is known about a key: small records that may be replaced.
    case records = "ac"
    /// Bytes under their own SHA-256, which never change.
    case blobs = "cas"
  }

  package var space: Space
  package var digest: Digest

  package init(space: Space, digest: Digest) {
    self.space = space
    self.digest = digest
  }

  package static func record(key: Digest) -> RemoteAddress { .init(space: .records, digest: key) }
  package static func blob(_ digest: Digest) -> RemoteAddress {
    .init(space: .blobs, digest: digest)
  }

  /// `ac/ab/abcd…` or `cas/ab/abcd…`.
  package var path: String { "\(space.rawValue)/\(digest.hex.prefix(2))/\(digest.hex)" }

  /// The most bytes that are stored or read at such an address.
  package var limitBytes: Int { space == .records ? 1 << 20 : 256 << 20 }

  /// Whether a blob has its digest. Of a record this cannot be said.
  package func admits(_ bytes: [UInt8]) -> Bool {
    space == .records || Digest(of: bytes) == digest
  }
}

/// A place that machines share values through.
///
/// Guarantees: a value is seen as a whole or not at all, and bytes of a blob that do not have its
/// digest are never returned. A missing or damaged value is `nil` or `false`; a tier that cannot
/// answer throws ``GranaryError``.
package protocol RemoteTier: Sendable {
  /// For counters and messages.
  var name: String { get }
  func get(_ address: RemoteAddress) async throws -> [UInt8]?
  /// Replaces what is there.
  ///
  /// - Throws: `tier-wrong-bytes` for a blob that has another digest, `too-large` beyond the limit.
  func put(_ bytes: [UInt8], at address: RemoteAddress) async throws
  /// Whether there is a value; whether it is undamaged only ``get(_:)`` tells.
  func contains(_ address: RemoteAddress) async throws -> Bool
}

extension RemoteAddress {
  /// - Throws: as ``RemoteTier/put(_:at:)``.
  func check(_ bytes: [UInt8]) throws {
    guard bytes.count <= limitBytes else {
      throw GranaryError(
        .tooLarge, "\(path) would have \(bytes.count) bytes; at most \(limitBytes) are shared",
        responsible: .input)
    }
    guard admits(bytes) else {
      throw GranaryError(
        .tierWrongBytes, "the bytes for \(path) have another digest", responsible: .internal)
    }
  }
}

extension GranaryError.Code {
  /// Bytes do not have the digest that they are said to have.
  package static let tierWrongBytes = Self(rawValue: "tier-wrong-bytes")
}
