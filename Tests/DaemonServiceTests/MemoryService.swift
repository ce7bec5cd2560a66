import DaemonAPI
import DaemonService
import KernelSpec
import Synchronization

/// A use case that answers from a dictionary.
final class MemoryService: KernelServing {
  struct State {
    var artifacts: [Digest: [UInt8]] = [:]
    /// By spec.
    var revisions: [String: Int] = [:]
    var resolved = 0
    var lastRequest: KernelRequest?
    var notify: @Sendable (Digest) -> Void = { _ in }
    var hits: [Digest: Int] = [:]
    var details: [Digest: KernelDetail] = [:]
  }

  let state = Mutex(State())
  /// Requests with the spec `wait` hold until this is finished or they are cancelled, those with `hold` also then.
  let gate: AsyncStream<Void>
  let openGate: AsyncStream<Void>.Continuation
  /// Told when a request with the spec `wait` has arrived, and when it was cancelled.
  let moments: AsyncStream<String>
  private let moment: AsyncStream<String>.Continuation

  init() {
    (gate, openGate) = AsyncStream<Void>.makeStream()
    (moments, moment) = AsyncStream<String>.makeStream()
  }

  @discardableResult
  func store(_ bytes: [UInt8]) -> Digest {
    let digest = Digest(of: bytes)
    state.withLock { $0.artifacts[digest] = bytes }
    return digest
  }

  func publish(_ spec: String, revision: Int) {
    let notify = state.withLock {
      $0.revisions[spec] = revision
      return $0.notify
    }
    notify(Digest(of: spec.utf8))
  }

  func resolve(_ requests: [KernelRequest]) async -> [KernelAnswer] {
    if requests.first?.spec == "wait" {
      moment.yield("arrived")
      for await _ in gate {}
      if Task.isCancelled { moment.yield("cancelled") }
    }
    if requests.first?.spec == "hold" {
      moment.yield("arrived")
      // A compiler does not stop at once either.
      await Task { [gate] in for await _ in gate {} }.value
      moment.yield(Task.isCancelled ? "cancelled" : "held")
    }
    return state.withLock { state in
      state.resolved += 1
      state.lastRequest = requests.last
      return requests.map { request in
        if request.spec.hasPrefix("bad") {
          return KernelAnswer(failure: ServiceError(.badSpec, "1:1: expected an operator"))
        }
        return KernelAnswer(
          key: Digest(of: request.spec.utf8).hex, name: request.spec,
          status: state.revisions[request.spec] == nil ? .miss : .hit,
          revision: state.revisions[request.spec])
      }
    }
  }

  func artifact(_ digest: Digest) async throws(ServiceError) -> [UInt8]? {
    state.withLock { $0.artifacts[digest] }
  }
  func source(of artifact: Digest) async throws(ServiceError) -> KernelSource? { nil }
  func detail(of key: Digest) async throws(ServiceError) -> KernelDetail? {
    state.withLock { $0.details[key] }
  }
  func entries() async throws(ServiceError) -> [EntrySummary] { [] }
  func remove(_ key: Digest) async throws(ServiceError) -> Bool { false }
  func pin(_ key: Digest, _ request: PinRequest) async throws(ServiceError) -> Bool? { nil }
  func revisions(of key: Digest) async throws(ServiceError) -> [RevisionSummary] {
    [
      RevisionSummary(
        number: 1, served: true, verdict: .baseline, artifact: key.hex, toolchain: "cc",
        created: 1.5, searchSeconds: 0, kernelMicroseconds: nil, speedup: nil, withdrawn: nil,
        origin: nil, onTrial: false, verified: 2,
        provenance: .init(generator: "a", knowledge: "b", kernel: "6.1"), source: "int x;")
    ]
  }
  func rollBack(_ key: Digest, _ request: RollbackRequest) async throws(ServiceError)
    -> RollbackReport
  { RollbackReport(key: key.hex, restored: request.revision ?? 1, revision: 3) }
  func refresh(_ key: Digest) async throws(ServiceError) -> RefreshReport {
    RefreshReport(key: key.hex, name: "relu", search: .queued)
  }
  func repeatEvidence(of key: Digest) async throws(ServiceError) -> EvidenceReport {
    EvidenceReport(
      key: key.hex, name: "relu", revision: 1, verdict: .passed, reason: nil, elementsCompared: 4)
  }
  func lease(_ key: Digest, _ request: LeaseRequest) async throws(ServiceError) -> Bool { true }
  func lockFiles() async throws(ServiceError) -> [LockFileReport] {
    [LockFileReport(path: "/granary.lock", kernels: 2)]
  }
  func addLockFile(_ request: LockFileRequest) async throws(ServiceError) {}
  func export(_ request: ExportRequest) async throws(ServiceError) -> [UInt8] { [1, 2] }
  func importBundle(_ bytes: [UInt8], allowsUnsigned: Bool, dryRun: Bool)
    async throws(ServiceError) -> ImportReport
  { ImportReport(admitted: 1, known: 0, failed: ["relu"]) }
  func stale() async throws(ServiceError) -> StaleReport {
    StaleReport(
      reasons: [.init(reason: "compiler", meaning: "another", count: 1)], entries: 2,
      stale: [
        .init(
          key: Digest(of: [1]).hex, name: "relu", revision: 1, lastUsed: 3, reasons: ["compiler"])
      ])
  }
  func collect(_ request: CollectRequest) async throws(ServiceError) -> CollectReport {
    CollectReport(
      entriesRemoved: 0, revisionsRemoved: 0, blobsRemoved: 0, searchesRemoved: 0, bytesFreed: 0,
      entriesKept: 0, entriesProtected: 0)
  }
  func statistics() async throws(ServiceError) -> Statistics {
    Statistics(requests: state.withLock { $0.resolved })
  }
  func explain(key: Digest) async throws(ServiceError) -> Explanation {
    throw ServiceError(.notFound, "no such key")
  }
  func explain(spec: String) async throws(ServiceError) -> Explanation {
    Explanation(
      key: Digest(of: spec.utf8).hex, name: spec, parts: [], present: false, reasons: ["absent"],
      nearest: nil, detail: nil)
  }
  func explain(request: String) async throws(ServiceError) -> Explanation {
    throw ServiceError(.notFound, "no such request")
  }
  func searches() async -> [TuneEvent] {
    [
      TuneEvent(
        key: Digest(of: [1]).hex, name: "relu", state: .queued, elapsedSeconds: 0, secondsLeft: 9,
        candidates: 0, candidatesPerSecond: 0)
    ]
  }
  func examine(_ request: ExamineRequest) async throws(ServiceError) -> ExamineReport {
    ExamineReport(name: request.spec, hasSignal: true, findings: [])
  }

  func verify(_ request: VerifyRequest) async throws(ServiceError) -> VerifyReport {
    VerifyReport(
      sound: true, blobsChecked: 1, blobsDamaged: 0, blobsMissing: 0, revisionsChecked: 1,
      revisionsDamaged: 0, recordsDamaged: 0, indexSound: true, repaired: request.repair ?? false,
      quarantined: [.init(name: "x", reason: "it is cut short", time: 1.5)])
  }
  func tune(_ request: TuneRequest) async throws(ServiceError)
    -> AsyncThrowingStream<TuneEvent, any Error>
  {
    let (stream, continuation) = AsyncThrowingStream<TuneEvent, any Error>.makeStream()
    for step in 0..<3 {
      continuation.yield(
        TuneEvent(
          key: Digest(of: request.spec.utf8).hex, state: step == 2 ? .finished : .running,
          elapsedSeconds: Double(step), secondsLeft: Double(2 - step), candidates: step,
          candidatesPerSecond: 1))
    }
    continuation.finish()
    return stream
  }
  func hardware() async throws(ServiceError) -> HardwareReport {
    throw ServiceError(.environment, "no hardware in memory")
  }
  var tuningIdentity: String? { nil }
  func doctor() async -> DoctorReport { DoctorReport(findings: []) }
  func onChange(_ notify: @escaping @Sendable (Digest) -> Void) {
    state.withLock { $0.notify = notify }
  }
  func recordHits(_ hits: [Digest: Int]) async {
    state.withLock { $0.hits.merge(hits) { $0 + $1 } }
  }
}
