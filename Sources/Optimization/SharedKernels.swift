import KernelSpec
package import RemoteTiers
import Support
import Trust

/// Whole kernels, shared with other machines through tiers.
///
/// At `/ac`, under an address made from the key, is an action result with the signed record as its standard output
/// and the artifact and the source as its files; both are at `/cas`. What arrives is believed only as `admit` says.
package struct SharedKernels: Sendable {
  package let tiers: TierChain

  /// - Parameter locations: in the order in which they are asked.
  /// - Throws: `bad-tier`.
  package init?(locations: [String], access: TierAccess) throws {
    let tiers = try locations.map { try TierLocation(parsing: $0).tier(access) }
    if tiers.isEmpty { return nil }
    self.init(
      tiers: TierChain(tiers, isWritable: access.isWritable, isOffline: access.isOffline))
  }

  package init(tiers: TierChain) { self.tiers = tiers }

  /// Not the key itself, so that a kernel and a schedule of one key do not meet; its own inverse, so that a server
  /// finds the key of an address.
  static func address(of key: Digest) -> RemoteAddress {
    .record(key: masked(key) ?? key)
  }

  static func masked(_ digest: Digest) -> Digest? {
    Digest(bytes: zip(digest.bytes, mask.bytes).map { $0 ^ $1 })
  }

  private static let mask = Digest(of: Array("granary-kernel-1".utf8))

  /// What the tiers have for a key; `nil` when they have nothing whole. Nothing of it is believed yet but digests.
  func kernel(of key: Digest) async -> ReceivedKernel? {
    guard let bytes = await tiers.get(Self.address(of: key)),
      let result = ActionResult(decoding: bytes),
      let record = SignedRecord.decode(result.standardOutput), record.key == key,
      let artifact = await tiers.get(.blob(record.artifact)),
      let source = await tiers.get(.blob(record.source))
    else { return nil }
    return ReceivedKernel(record: record, artifact: artifact, source: source)
  }

  /// Gives a kernel to every tier that answers: the blobs first, so that no record names what is not there.
  ///
  /// - Returns: whether at least one took all of it.
  func give(_ kernel: ReceivedKernel) async throws -> Bool {
    let record = kernel.record
    guard try await tiers.put(kernel.artifact, at: .blob(record.artifact)) > 0,
      try await tiers.put(kernel.source, at: .blob(record.source)) > 0
    else { return false }
    let result = try Self.result(kernel)
    return try await tiers.put(result.encoded(), at: Self.address(of: record.key)) > 0
  }

  /// What is kept at `/ac` for a kernel.
  static func result(_ kernel: ReceivedKernel) throws -> ActionResult {
    ActionResult(
      files: [
        .init(path: "kernel", digest: kernel.record.artifact, sizeBytes: kernel.artifact.count),
        .init(path: "source.json", digest: kernel.record.source, sizeBytes: kernel.source.count),
      ], standardOutput: try kernel.record.encoded())
  }
}
