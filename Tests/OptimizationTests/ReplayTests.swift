import CacheStore
import FoundationEssentials
import KernelSpec
import RemoteTiers
import TestSupport
import Testing
import Trust

@testable import Optimization

/// A shared directory where somebody puts back what was there before.
@Suite struct ReplayTests {
  private static let relu = "relu(x: f32[4])"
  private let folder = TemporaryFolder()
  private var tier: String { folder.file("tier") }
  private var records: String { tier + "/ac" }

  private func machine(_ name: String, trusting key: PublicKey? = nil) async throws -> (
    library: KernelLibrary, ring: KeyRing
  ) {
    let ring = KeyRing(directory: folder.file(name + ".keys"))
    if let key { _ = try ring.trust(key) }
    let library = try await TemporaryLibrary.open(
      folder.file(name), limits: SearchLimits(seconds: 5, candidates: 12),
      sharedKernels: try SharedKernels(
        locations: [tier], access: TierAccess(isWritable: true, timeoutSeconds: 60)),
      trust: TrustPolicy(ring: ring))
    return (library, ring)
  }

  /// What the maker's tier has once it has made its kernel anew.
  private func make(_ maker: KernelLibrary) async throws -> KernelKey {
    let key = try maker.subject(of: Self.relu).key
    if try maker.store.lookup(key: key.digest) != nil { try maker.store.remove(key: key.digest) }
    // The maker does not take what it has given before.
    try? FileManager.default.removeItem(atPath: records)
    #expect(try await maker.resolve(Self.relu, .baseline).status == .baseline)
    #expect(try await maker.upload() == 1)
    return key
  }

  @Test("an old signed record that a tier plays back never replaces what was recorded after it")
  func replay() async throws {
    let (maker, makerRing) = try await machine("maker")
    let publicKey = try makerRing.generate(name: "maker")
    let key = try await make(maker)
    let aside = folder.file("aside")
    try FileManager.default.copyItem(atPath: records, toPath: aside)
    _ = try await make(maker)
    let (reader, _) = try await machine("reader", trusting: publicKey)
    let newer = try #require(await reader.fetchShared(key))
    let recorded = newer.evidence.recordedAt
    // The old record is whole, signed, and would be believed by whoever has nothing.
    try FileManager.default.removeItem(atPath: records)
    try FileManager.default.copyItem(atPath: aside, toPath: records)
    let (stranger, _) = try await machine("stranger", trusting: publicKey)
    let older = try #require(await stranger.fetchShared(key))
    #expect(older.evidence.recordedAt < recorded)
    let served = try #require(await reader.fetchShared(key))
    #expect(served == newer)
    #expect(try reader.store.revisions(key: key.digest).map(\.evidence.recordedAt) == [recorded])
    // What is newer than both is taken again.
    _ = try await make(maker)
    let newest = try #require(await reader.fetchShared(key))
    #expect(newest.evidence.recordedAt > recorded && newest.revision == newer.revision + 1)
    for library in [maker, reader, stranger] { try library.store.close() }
  }
}
