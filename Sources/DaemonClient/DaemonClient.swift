public import DaemonAPI
public import KernelSpec

/// Talks to a daemon over its Unix socket. Every call has a deadline and throws nothing but `ServiceError`.
///
/// Keeps one connection and uses it for one call at a time; not safe to share between threads. A connection that the
/// daemon has closed meanwhile is made again, and what a daemon that stops does not answer any more is asked again: over a
/// restart, calls are late and do not fail.
public final class DaemonClient {
  public let socketPath: String
  /// How long a call may take, unless it says otherwise.
  public var timeoutSeconds: Double
  private var connection: HTTPConnection?
  /// What the daemon said when it was first asked.
  private var known: Greeting?

  /// Connects to the daemon that runs.
  ///
  /// - Throws: `no-daemon`.
  public init(socketPath: String, timeoutSeconds: Double = 60) throws(ServiceError) {
    self.socketPath = socketPath
    self.timeoutSeconds = timeoutSeconds
    connection = try HTTPConnection(path: socketPath, deadline: Deadline(seconds: timeoutSeconds))
  }

  public func greeting() throws(ServiceError) -> Greeting { try get(.greeting) }

  /// Answers for `specs`, in order, in one round trip. Without a policy, the daemon's setting holds.
  ///
  /// - Parameter lock: for the policy `locked`: what must be served.
  public func resolve(
    _ specs: [String], policy: Policy? = nil, deadlineMilliseconds: Int? = nil,
    lock: LockFile? = nil, namespace: String? = nil
  ) throws(ServiceError) -> [KernelAnswer] {
    let body = try encode(
      ResolveEnvelope(
        specs: specs, policy: policy, deadlineMilliseconds: deadlineMilliseconds,
        locks: lock?.kernels, namespace: namespace))
    let wait = try secondsOfWaiting(policy, deadlineMilliseconds) ?? 0
    // Beyond what it waits on purpose, the daemon gets as long as for a baseline.
    return try decode(call(.resolve, body: body, seconds: max(timeoutSeconds, wait + 30)))
  }

  /// The bytes of an artifact.
  public func artifact(_ digest: String) throws(ServiceError) -> [UInt8] {
    let bytes = try call(.artifact, digest)
    guard Digest(of: bytes).hex == digest else {
      throw ServiceError(.internalError, "the artifact \(digest) arrived damaged")
    }
    return bytes
  }

  /// What an artifact was compiled from.
  public func source(of artifact: String) throws(ServiceError) -> KernelSource {
    try get(.source, artifact)
  }

  /// Many artifacts in one round trip; `nil` for each that the daemon does not have.
  public func artifacts(_ digests: [String]) throws(ServiceError) -> [[UInt8]?] {
    let body = Array(digests.joined(separator: "\n").utf8)
    let blobs = try BlobFrames.decode(try call(.artifacts, body: body))
    for (digest, blob) in zip(digests, blobs) {
      if let blob, Digest(of: blob).hex != digest {
        throw ServiceError(.internalError, "the artifact \(digest) arrived damaged")
      }
    }
    return blobs
  }

  /// The bytes that another program keeps under a name; `nil` when there are none.
  public func foreign(_ name: String) throws(ServiceError) -> [UInt8]? {
    do {
      return try call(.foreign, name)
    } catch  where error.code == .notFound {
      return nil
    }
  }

  /// Keeps bytes under a name, of at most 200 letters, digits, points, dashes and underscores.
  public func keepForeign(_ bytes: [UInt8], as name: String) throws(ServiceError) {
    let _: ForeignReport = try decode(call(.keepForeign, name, body: bytes))
  }

  /// - Returns: whether there was something under the name.
  public func removeForeign(_ name: String) throws(ServiceError) -> Bool {
    let report: ForeignReport = try get(.removeForeign, name)
    return report.changed
  }

  public func detail(key: String) throws(ServiceError) -> KernelDetail { try get(.kernel, key) }

  public func entries() throws(ServiceError) -> [EntrySummary] { try get(.entries) }

  public func remove(key: String) throws(ServiceError) -> ChangeReport { try get(.remove, key) }

  public func pin(key: String, _ pinned: Bool, revision: Int? = nil) throws(ServiceError)
    -> ChangeReport
  {
    try decode(call(.pin, key, body: encode(PinRequest(pinned: pinned, revision: revision))))
  }

  /// The revisions of an entry with their sources, newest first.
  public func revisions(key: String) throws(ServiceError) -> [RevisionSummary] {
    try get(.revisions, key)
  }

  /// Serves an old revision again; without a number, the one before what is served.
  public func rollBack(key: String, to revision: Int?) throws(ServiceError) -> RollbackReport {
    try decode(call(.rollback, key, body: encode(RollbackRequest(revision: revision))))
  }

  /// Queues a search that begins with the champion of the last one.
  public func refresh(key: String) throws(ServiceError) -> RefreshReport { try get(.refresh, key) }

  /// Runs the evidence of an entry again, however long that takes.
  public func repeatEvidence(key: String) throws(ServiceError) -> EvidenceReport {
    try decode(call(.repeatEvidence, key, seconds: 86_400))
  }

  public func lease(key: String, _ request: LeaseRequest) throws(ServiceError) -> ChangeReport {
    try decode(call(.lease, key, body: encode(request)))
  }

  public func lockFiles() throws(ServiceError) -> [LockFileReport] { try get(.lockFiles) }

  /// Keeps what a lock file names, as long as the file is there.
  public func addLockFile(_ path: String) throws(ServiceError) -> [LockFileReport] {
    try decode(call(.addLockFile, body: encode(LockFileRequest(path: path))))
  }

  public func stale() throws(ServiceError) -> StaleReport { try get(.stale) }

  public func collect(_ request: CollectRequest) throws(ServiceError) -> CollectReport {
    try decode(call(.collect, body: encode(request)))
  }

  /// A signed bundle of what is served.
  public func export(_ request: ExportRequest) throws(ServiceError) -> [UInt8] {
    try call(.export, body: encode(request), seconds: max(timeoutSeconds, 3600))
  }

  /// Takes in a bundle; each kernel may be verified first, however long that takes.
  public func importBundle(_ bytes: [UInt8], allowUnsigned: Bool, dryRun: Bool)
    throws(ServiceError) -> ImportReport
  {
    let target =
      Route.importBundle.path() + "?allow_unsigned=\(allowUnsigned)&dry_run=\(dryRun)"
    let answer = try exchange(.importBundle, target, bytes, Deadline(seconds: 86_400))
    guard answer.status == 200 else { throw Self.failure(answer.body, status: answer.status) }
    return try decode(answer.body)
  }

  public func statistics() throws(ServiceError) -> Statistics { try get(.statistics) }

  /// The counters in Prometheus' text format.
  public func metrics() throws(ServiceError) -> String {
    String(decoding: try call(.metrics), as: UTF8.self)
  }

  public func explain(key: String) throws(ServiceError) -> Explanation {
    try get(.explainKey, key)
  }

  public func explain(spec: String) throws(ServiceError) -> Explanation {
    try decode(call(.explainSpec, body: encode(ResolveEnvelope(specs: [spec]))))
  }

  /// - Parameter request: the name in the answer to an earlier request.
  public func explain(request: String) throws(ServiceError) -> Explanation {
    try get(.explainRequest, request)
  }

  /// The searches that run or wait.
  public func searches() throws(ServiceError) -> [TuneEvent] { try get(.searches) }

  /// Checks everything that is stored, however long that takes.
  public func verify(_ request: VerifyRequest) throws(ServiceError) -> VerifyReport {
    try decode(call(.verify, body: encode(request), seconds: 86_400))
  }

  /// Which wrong answers verification would see for a spec. Takes as long as the plain evaluation of the spec.
  public func examine(spec: String) throws(ServiceError) -> ExamineReport {
    try decode(call(.examine, body: encode(ExamineRequest(spec: spec)), seconds: 3600))
  }

  public func hardware() throws(ServiceError) -> HardwareReport { try get(.hardware) }

  public func doctor() throws(ServiceError) -> DoctorReport { try get(.doctor) }

  public func configuration() throws(ServiceError) -> ConfigurationReport {
    try get(.configuration)
  }

  /// Starts or joins a search and calls `progress` with each of its reports, until it ends.
  public func tune(
    _ request: TuneRequest, timeoutSeconds: Double = 86_400, progress: (TuneEvent) -> Void
  ) throws(ServiceError) {
    let deadline = Deadline(seconds: timeoutSeconds)
    var connection = try HTTPConnection(path: socketPath, deadline: deadline)
    let refusal = try connection.events(
      Route.tune.method, Route.tune.path(), try encode(request), deadline: deadline
    ) { (name, data) throws(ServiceError) in
      if name == "error" { throw Self.failure(data, status: 500) }
      if name == "progress" { progress(try decode(data)) }
    }
    if let refusal { throw Self.failure(refusal.body, status: refusal.status) }
  }
}

extension DaemonClient {
  private struct ResolveEnvelope: Encodable {
    var specs: [String]
    var policy: Policy?
    var deadlineMilliseconds: Int?
    var locks: [LockFile.Kernel]?
    var namespace: String?
  }

  /// How long the daemon may wait for a search before it answers.
  private func secondsOfWaiting(_ policy: Policy?, _ deadlineMilliseconds: Int?)
    throws(ServiceError) -> Double?
  {
    if let deadlineMilliseconds { return Double(deadlineMilliseconds) / 1000 }
    guard policy == nil || policy == .tuned else { return nil }
    if known == nil { known = try greeting() }
    return known?.secondsOfWaiting(policy: policy)
  }

  private func get<Value: Decodable>(_ route: Route, _ parameter: String = "")
    throws(ServiceError) -> Value
  {
    try decode(call(route, parameter))
  }

  private func call(
    _ route: Route, _ parameter: String = "", body: [UInt8] = [], seconds: Double? = nil
  ) throws(ServiceError) -> [UInt8] {
    let deadline = Deadline(seconds: seconds ?? timeoutSeconds)
    let answer = try exchange(route, route.path(parameter), body, deadline)
    guard answer.status == 200 else { throw Self.failure(answer.body, status: answer.status) }
    return answer.body
  }

  /// Sends a request, and again when a daemon that ends leaves it without an answer: every route may be asked twice.
  private func exchange(_ route: Route, _ target: String, _ body: [UInt8], _ deadline: Deadline)
    throws(ServiceError) -> HTTPConnection.Answer
  {
    var restart = Restart()
    while true {
      do throws(ServiceError) {
        let answer = try exchangeOnce(route, target, body, deadline, &restart)
        let refusal = answer.status == 503 ? Self.failure(answer.body, status: 503) : nil
        guard let refusal, refusal.code == .shuttingDown else { return answer }
        restart.wasTold = true
        throw refusal
      } catch {
        // It may be another daemon from now on.
        known = nil
        guard restart.mayGoOn(after: error), !deadline.hasPassed else { throw error }
      }
    }
  }

  private func exchangeOnce(
    _ route: Route, _ target: String, _ body: [UInt8], _ deadline: Deadline,
    _ restart: inout Restart
  ) throws(ServiceError) -> HTTPConnection.Answer {
    var used: HTTPConnection
    if let kept = connection, kept.isReusable {
      used = kept
    } else {
      restart.isConnected = false
      used = try HTTPConnection(path: socketPath, deadline: deadline)
    }
    connection = nil
    restart.isConnected = true
    let answer = try used.exchange(route.method, target, body, deadline: deadline)
    connection = used
    return answer
  }

  private func encode(_ value: some Encodable) throws(ServiceError) -> [UInt8] {
    do {
      return try WireJSON.encode(value)
    } catch {
      throw ServiceError(.badRequest, "cannot encode the request: \(error)")
    }
  }

  private func decode<Value: Decodable>(_ bytes: [UInt8]) throws(ServiceError) -> Value {
    do {
      return try WireJSON.decode(Value.self, from: bytes)
    } catch {
      throw ServiceError(
        .internalError, "cannot read the daemon's answer; are both of one version? \(error)")
    }
  }

  private static func failure(_ body: [UInt8], status: Int) -> ServiceError {
    let said = try? WireJSON.decode(ServiceError.self, from: body)
    return said ?? ServiceError(.internalError, "the daemon answered with status \(status)")
  }
}
