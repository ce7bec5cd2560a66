import DaemonAPI
import DaemonService
import KernelSpec
import Support

/// A use case with 256 artifacts of 20 KB in memory. Every spec `specN` is a hit on artifact N.
final class BenchmarkService: KernelServing {
  private let blobs: [Digest: [UInt8]]
  private let digests: [Digest]

  init() {
    var random = SeededRandom(seed: 1)
    let all = (0..<256).map { _ in
      (0..<20480).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
    digests = all.map { Digest(of: $0) }
    blobs = Dictionary(uniqueKeysWithValues: zip(digests, all))
  }

  func resolve(_ requests: [KernelRequest]) async -> [KernelAnswer] {
    requests.map { request in
      guard let number = Int(request.spec.dropFirst(4)), digests.indices.contains(number) else {
        return KernelAnswer(status: .miss)
      }
      return KernelAnswer(
        key: Digest(of: request.spec.utf8).hex, name: request.spec, status: .hit, verdict: .tuned,
        revision: 1, artifact: digests[number].hex, kernelMicroseconds: 12.5,
        baselineMicroseconds: 25, speedup: 2, rooflineFraction: 0.5)
    }
  }

  func artifact(_ digest: Digest) async throws(ServiceError) -> [UInt8]? { blobs[digest] }
  func source(of artifact: Digest) async throws(ServiceError) -> KernelSource? { nil }
  func detail(of key: Digest) async throws(ServiceError) -> KernelDetail? { nil }
  func entries() async throws(ServiceError) -> [EntrySummary] {
    digests.enumerated().map { number, digest in
      EntrySummary(
        key: digest.hex, name: "spec\(number)", hardware: "none", verdict: .tuned, revision: 1,
        bytes: 20480, created: 0, lastUsed: 0, pinned: false, uses: 0, speedup: 2)
    }
  }
  func remove(_ key: Digest) async throws(ServiceError) -> Bool { false }
  func pin(_ key: Digest, _ request: PinRequest) async throws(ServiceError) -> Bool? { nil }
  func revisions(of key: Digest) async throws(ServiceError) -> [RevisionSummary] { [] }
  func rollBack(_ key: Digest, _ request: RollbackRequest) async throws(ServiceError)
    -> RollbackReport
  { throw Self.absent }
  func refresh(_ key: Digest) async throws(ServiceError) -> RefreshReport { throw Self.absent }
  func repeatEvidence(of key: Digest) async throws(ServiceError) -> EvidenceReport {
    throw Self.absent
  }
  func lease(_ key: Digest, _ request: LeaseRequest) async throws(ServiceError) -> Bool { false }
  func lockFiles() async throws(ServiceError) -> [LockFileReport] { [] }
  func addLockFile(_ request: LockFileRequest) async throws(ServiceError) { throw Self.absent }
  func export(_ request: ExportRequest) async throws(ServiceError) -> [UInt8] {
    throw Self.absent
  }
  func importBundle(_ bytes: [UInt8], allowsUnsigned: Bool, dryRun: Bool)
    async throws(ServiceError) -> ImportReport
  { throw Self.absent }
  func stale() async throws(ServiceError) -> StaleReport { throw Self.absent }
  func collect(_ request: CollectRequest) async throws(ServiceError) -> CollectReport {
    CollectReport(
      entriesRemoved: 0, revisionsRemoved: 0, blobsRemoved: 0, searchesRemoved: 0, bytesFreed: 0,
      entriesKept: 256, entriesProtected: 0)
  }
  func statistics() async throws(ServiceError) -> Statistics { Statistics(entries: 256) }
  func explain(key: Digest) async throws(ServiceError) -> Explanation { throw Self.absent }
  func explain(spec: String) async throws(ServiceError) -> Explanation { throw Self.absent }
  func explain(request: String) async throws(ServiceError) -> Explanation { throw Self.absent }
  func searches() async -> [TuneEvent] { [] }
  func examine(_ request: ExamineRequest) async throws(ServiceError) -> ExamineReport {
    ExamineReport(name: request.spec, hasSignal: true, findings: [])
  }

  func verify(_ request: VerifyRequest) async throws(ServiceError) -> VerifyReport {
    throw Self.absent
  }
  func tune(_ request: TuneRequest) async throws(ServiceError)
    -> AsyncThrowingStream<TuneEvent, any Error>
  { throw Self.absent }
  func hardware() async throws(ServiceError) -> HardwareReport { throw Self.absent }
  var tuningIdentity: String? { nil }
  func doctor() async -> DoctorReport { DoctorReport(findings: []) }
  func onChange(_ notify: @escaping @Sendable (Digest) -> Void) {}
  func recordHits(_ hits: [Digest: Int]) async {}

  private static var absent: ServiceError {
    ServiceError(.unsupported, "the benchmark's server only serves artifacts and answers")
  }
}
