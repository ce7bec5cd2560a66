package import DaemonAPI
package import KernelSpec

/// What the daemon serves. The use case implements it; the server knows nothing else about kernels.
///
/// Methods are called from many tasks at once. A task is cancelled when its client goes away, or when the
/// daemon stops and its patience ends: waiting for a search must then stop, the search itself need not.
package protocol KernelServing: Sendable {
  /// Answers every request, in order, and never throws: a bad spec is an answer with `failed`.
  func resolve(_ requests: [KernelRequest]) async -> [KernelAnswer]
  /// The bytes of an artifact, decompressed and checked against its address; `nil` when there is none.
  func artifact(_ digest: Digest) async throws(ServiceError) -> [UInt8]?
  /// What an artifact was compiled from; `nil` when that is not there.
  func source(of artifact: Digest) async throws(ServiceError) -> KernelSource?
  func detail(of key: Digest) async throws(ServiceError) -> KernelDetail?
  func entries() async throws(ServiceError) -> [EntrySummary]
  /// - Returns: whether there was such an entry.
  func remove(_ key: Digest) async throws(ServiceError) -> Bool
  /// - Returns: whether that changed anything; `nil` when there is no such entry.
  func pin(_ key: Digest, _ request: PinRequest) async throws(ServiceError) -> Bool?
  /// The revisions of an entry, newest first; none when there is no such entry.
  func revisions(of key: Digest) async throws(ServiceError) -> [RevisionSummary]
  func rollBack(_ key: Digest, _ request: RollbackRequest) async throws(ServiceError)
    -> RollbackReport
  /// Queues a search that begins with the champion of the last one.
  func refresh(_ key: Digest) async throws(ServiceError) -> RefreshReport
  /// Runs the evidence of what is served again; what fails is withdrawn.
  func repeatEvidence(of key: Digest) async throws(ServiceError) -> EvidenceReport
  /// - Returns: whether that changed anything.
  func lease(_ key: Digest, _ request: LeaseRequest) async throws(ServiceError) -> Bool
  func lockFiles() async throws(ServiceError) -> [LockFileReport]
  func addLockFile(_ request: LockFileRequest) async throws(ServiceError)
  /// A signed bundle.
  func export(_ request: ExportRequest) async throws(ServiceError) -> [UInt8]
  /// Takes in a bundle, all of which is checked before anything is written.
  func importBundle(_ bytes: [UInt8], allowsUnsigned: Bool, dryRun: Bool)
    async throws(ServiceError) -> ImportReport
  func stale() async throws(ServiceError) -> StaleReport
  func collect(_ request: CollectRequest) async throws(ServiceError) -> CollectReport
  func statistics() async throws(ServiceError) -> Statistics
  func explain(key: Digest) async throws(ServiceError) -> Explanation
  func explain(spec: String) async throws(ServiceError) -> Explanation
  /// - Parameter request: the name in the answer to an earlier request.
  func explain(request: String) async throws(ServiceError) -> Explanation
  /// The searches that run or wait, in the order in which they will run.
  func searches() async -> [TuneEvent]
  /// Checks everything that is stored, and repairs it if asked to.
  func verify(_ request: VerifyRequest) async throws(ServiceError) -> VerifyReport
  /// Tells which wrong answers verification would see for a spec.
  func examine(_ request: ExamineRequest) async throws(ServiceError) -> ExamineReport
  /// The progress of a search that this call starts or joins; the last event is `finished`.
  func tune(_ request: TuneRequest) async throws(ServiceError)
    -> AsyncThrowingStream<TuneEvent, any Error>
  func hardware() async throws(ServiceError) -> HardwareReport
  /// What kernels are tuned for; `nil` for a service without hardware. Measures nothing.
  var tuningIdentity: String? { get }
  func doctor() async -> DoctorReport

  /// Registers a function that must be called whenever another answer holds for a key, after the change is in the
  /// store and before anybody is told about it: then no memoised answer outlives it. Removal, pinning and
  /// collection count.
  func onChange(_ notify: @escaping @Sendable (Digest) -> Void)
  /// Counts hits that the hot set answered without asking, by key.
  func recordHits(_ hits: [Digest: Int]) async
}
