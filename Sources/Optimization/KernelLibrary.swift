package import CacheStore
package import KernelSpec
package import Logging
package import Support
import Hardware
import Knowledge
import RemoteTiers
import Search
import Synchronization

/// The use case: which kernel computes this spec here?
///
/// Answers from the store; makes a verified baseline for a miss, once however many ask; queues a search for a
/// faster kernel, once for each key.
package final class KernelLibrary: Sendable {
  package let store: CacheStore
  package let workshop: Workshop
  package let queue: SearchQueue
  package let time: any TimeSource
  let log: Logger
  /// What a search may take, unless whoever asked for it says otherwise.
  package let defaultLimits: SearchLimits
  /// Whether a request for a kernel that was never searched for queues a search.
  private let searchesUnasked: Bool
  /// Where other machines' results are asked for; `nil` on a machine by itself.
  let shared: SharedSchedules?
  /// Where other machines' kernels are asked for; `nil` on a machine by itself.
  package let sharedKernels: SharedKernels?
  /// What is believed of other machines; `nil` for nothing.
  package let trust: TrustPolicy?
  /// How machines that share a tier agree on who searches; `nil` on a machine by itself.
  let leases: TierLeases?
  private let baselines = SingleFlight<Digest, StoredKernel>()
  let specialisations = SingleFlight<Digest, StoredKernel>()
  private let makers: ConcurrencyLimit
  private let costDirectory: String?
  /// What finished searches taught, for transplants.
  let past = Mutex(PastResults([]))
  private let listeners = Mutex<[@Sendable (Digest) -> Void]>([])

  /// - Parameter costDirectory: where searches keep what schedules cost; `nil` for nowhere: they then learn nothing
  ///   of it, and rank candidates by rules alone.
  package init(
    store: CacheStore, workshop: Workshop, defaultLimits: SearchLimits,
    searchesUnasked: Bool = true,
    shared: SharedSchedules? = nil, sharedKernels: SharedKernels? = nil,
    trust: TrustPolicy? = nil, leaseSeconds: Double = 0, costDirectory: String? = nil,
    time: any TimeSource = SystemTime(), log: Logger
  ) {
    self.costDirectory = costDirectory
    self.sharedKernels = sharedKernels
    leases = sharedKernels?.tiers.leases(seconds: leaseSeconds)
    self.trust = trust
    self.shared = shared
    self.store = store
    self.workshop = workshop
    self.defaultLimits = defaultLimits
    self.searchesUnasked = searchesUnasked
    self.time = time
    self.log = log
    queue = SearchQueue()
    makers = ConcurrencyLimit(workshop.hardware.tuning.threads)
    store.onRemoval { [weak self] keys in
      for key in keys { self?.announceChange(of: key) }
    }
  }

  /// What searches know of the cost of schedules under this code generator.
  var costs: CostRecords? {
    costDirectory.map { CostRecords(directory: $0, version: GeneratorFingerprint.value) }
  }

  /// Registers a function that is called whenever another kernel is served for a key: after the change is
  /// durable, before anybody is told of it.
  package func onChange(_ listener: @escaping @Sendable (Digest) -> Void) {
    listeners.withLock { $0.append(listener) }
  }

  /// Tells the listeners that another kernel, or none, is served for the key.
  package func announceChange(of key: Digest) {
    for listener in listeners.withLock({ $0 }) { listener(key) }
  }

  /// What is wanted for a spec.
  package enum Demand: Sendable, Hashable {
    /// What the store has, or nothing.
    case cached
    /// The best there is, made now if need be.
    case baseline
    /// Waits for a search, at most this long.
    case tuned(seconds: Double)
    /// Exactly what a lock names.
    case locked(Locks)
  }

  /// What may be served to a locked request.
  package struct Locks: Sendable, Hashable {
    package struct Lock: Sendable, Hashable {
      package var revision: Int?
      package var artifact: Digest?
      /// The spec's name, and the hardware that the kernel is for, as far as the lock tells.
      package var name: String?
      package var hardware: String?

      package init(
        revision: Int?, artifact: Digest?, name: String? = nil, hardware: String? = nil
      ) {
        self.name = name
        self.hardware = hardware
        self.revision = revision
        self.artifact = artifact
      }
    }

    /// For a key that ``byKey`` does not have; `nil` refuses such a key.
    package var otherwise: Lock?
    package var byKey: [Digest: Lock]

    package init(otherwise: Lock?, byKey: [Digest: Lock]) {
      self.otherwise = otherwise
      self.byKey = byKey
    }
  }

  /// How a request was met.
  package struct Resolution: Sendable {
    package enum Status: String, Sendable { case hit, baseline, miss }
    package var key: KernelKey
    package var name: String
    /// The names of the inputs, in the order that the kernel takes them.
    package var inputs: [String]
    package var status: Status
    package var kernel: StoredKernel?
    /// Why it was met so, as far as that is known without looking again.
    package var reason = ""
  }

  /// Resolves one spec, in its text or JSON form.
  ///
  /// - Parameter namespace: whose entry it becomes if it is new.
  /// - Throws: ``OptimizationError``.
  package func resolve(
    _ text: String, _ demand: Demand, namespace: String = ""
  ) async throws(OptimizationError) -> Resolution {
    let subject = try subject(of: text)
    var resolution = Resolution(
      key: subject.key, name: subject.name, inputs: subject.inputs, status: .miss, kernel: nil)
    switch demand {
    case .locked(let locks):
      resolution.kernel = try locked(subject.key, name: subject.name, by: locks)
      resolution.status = .hit
    case .cached:
      resolution.kernel = try lookup(subject.key)
      resolution.status = resolution.kernel == nil ? .miss : .hit
      if resolution.kernel == nil { resolution.reason = "no entry has this key" }
    case .baseline:
      try await serve(subject, namespace: namespace, into: &resolution)
    case .tuned(let seconds):
      try await serve(subject, namespace: namespace, into: &resolution)
      switch subject.content {
      case .spec(let spec): try await awaitSearch(of: spec, seconds: seconds, into: &resolution)
      case .family:
        await withDeadline(seconds: seconds) { _ = try? await self.specialise(subject) }
        if let kernel = try lookup(resolution.key) { resolution.kernel = kernel }
      }
    }
    if resolution.status == .hit, let kernel = resolution.kernel {
      resolution.reason = "revision \(kernel.revision) (\(kernel.verdict.rawValue)) was stored"
    }
    return resolution
  }

  /// What a text asks for: one spec or a family of them, with its key here.
  package func subject(of text: String) throws(OptimizationError) -> KernelSubject {
    try KernelSubject(text, hardware: workshop.hardware.tuning.canonicalText)
  }

  /// Searches for a spec's fastest kernel within `limits` and reports how far it has come.
  package func tune(_ text: String, limits: SearchLimits) async throws(OptimizationError) -> (
    key: KernelKey, name: String, progress: AsyncStream<SearchProgress>
  ) {
    let subject = try subject(of: text)
    guard case .spec(let spec) = subject.content else {
      return (subject.key, subject.name, try await tune(subject))
    }
    let plan = try KernelPlan(spec: spec, hardware: workshop.hardware)
    _ = try await baseline(of: KernelSubject(spec, plan.key))
    // Someone waits for this one in the foreground.
    await queue.add(plan, limits: limits, demand: 1 << 20)
    return (plan.key, spec.name, await queue.observe(plan.key.digest))
  }

  func check(_ text: String) throws(OptimizationError) -> CheckedSpec {
    do {
      return try Spec.parse(text).checked()
    } catch {
      throw OptimizationError(.badSpec, "\(error)")
    }
  }

  /// What the store has that is safe to run here.
  func lookup(_ key: KernelKey, revision: Int? = nil) throws(OptimizationError)
    -> StoredKernel?
  {
    let found: StoredKernel?
    do {
      found = try store.lookup(key: key.digest, revision: revision)
    } catch {
      throw OptimizationError(storing: error)
    }
    guard let found, runsHere(found.artifact.manifest) else { return nil }
    return found
  }

  func runsHere(_ manifest: Artifact.Manifest) -> Bool {
    workshop.hardware.compatibility.permits(
      required: manifest.requiredFeatures, architecture: manifest.architecture)
  }

  private func serve(
    _ subject: KernelSubject, namespace: String, into resolution: inout Resolution
  ) async throws(OptimizationError) {
    if let kernel = try lookup(resolution.key) {
      resolution.kernel = kernel
      resolution.status = .hit
    } else {
      resolution.reason = reasonForMiss(resolution.key, name: subject.name)
      let kernel = try await baseline(of: subject, namespace: namespace)
      resolution.kernel = kernel
      resolution.status = kernel.origin == "tier" ? .hit : .baseline
    }
    // A kernel without measurements has never been through a whole search: also after a crash that lost the queue.
    if resolution.kernel?.evidence.timing == nil, case .spec(let spec) = subject.content {
      try await queueSearch(of: spec, resolution.key)
    }
  }

  /// Queues the search of a key unless one waits, runs or has ended.
  private func queueSearch(of spec: CheckedSpec, _ key: KernelKey) async throws(OptimizationError) {
    guard searchesUnasked, await queue.state(of: key.digest) == nil, try !isSearched(key.digest)
    else { return }
    await queue.add(
      try KernelPlan(spec: spec, hardware: workshop.hardware), limits: defaultLimits)
  }

  /// The stored kernel of a spec or family, or its baseline, made now; planned and made once however many ask.
  func baseline(of subject: KernelSubject, namespace: String = "") async throws(OptimizationError)
    -> StoredKernel
  {
    let key = subject.key
    if let kernel = try lookup(key) { return kernel }
    do {
      return try await baselines.value(for: key.digest) { [self] in
        // Whoever made it while this call was on its way has stored it.
        if let kernel = try lookup(key) { return kernel }
        if let kernel = try await kernelFromElsewhere(key) { return kernel }
        if let kernel = await fetchShared(key) { return kernel }
        let kernel = try await makers.run { try await self.make(subject, namespace) }
        announceChange(of: key.digest)
        // Other machines could not verify a family as it was verified here.
        if case .spec = subject.content { queueUpload(key.digest, revision: kernel.revision) }
        return kernel
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      let failure = OptimizationError(storing: error)
      if failure.code == .shuttingDown { throw failure }
      throw OptimizationError(.internalError, "\(subject.name): \(error)")
    }
  }

  private func make(_ subject: KernelSubject, _ namespace: String) async throws -> StoredKernel {
    switch subject.content {
    case .spec(let spec):
      let plan = try KernelPlan(spec: spec, hardware: workshop.hardware)
      let maker = BaselineMaker(workshop: workshop, store: store, time: time)
      return try await workshop.reservingMemory(for: plan) {
        try await maker.make(plan, namespace: namespace)
      }
    case .family(let family):
      let maker = FamilyMaker(workshop: workshop, store: store, time: time)
      return try await maker.make(family, subject.key, namespace: namespace)
    }
  }

  private func awaitSearch(of spec: CheckedSpec, seconds: Double, into resolution: inout Resolution)
    async throws(OptimizationError)
  {
    let digest = resolution.key.digest
    if await queue.state(of: digest) == nil {
      // A kernel that was measured has been through a search, even when the search is collected.
      guard resolution.kernel?.evidence.timing == nil, try !isSearched(digest) else { return }
      let plan = try KernelPlan(spec: spec, hardware: workshop.hardware)
      let limits = SearchLimits(
        seconds: min(seconds, defaultLimits.seconds), candidates: defaultLimits.candidates)
      await queue.add(plan, limits: limits, demand: 1 << 10)
    }
    let progress = await queue.observe(digest)
    await withDeadline(seconds: seconds) {
      for await report in progress where report.state == .finished { return }
    }
    if let kernel = try lookup(resolution.key) { resolution.kernel = kernel }
  }

  /// Whether a search of the key has ended by itself.
  private func isSearched(_ key: Digest) throws(OptimizationError) -> Bool {
    do {
      return try store.searches(key: key).contains(where: \.isFinished)
    } catch {
      throw OptimizationError(storing: error)
    }
  }
}

/// Runs `work` until it ends or the time is over; then it is cancelled.
private func withDeadline(
  seconds: Double, _ work: @escaping @Sendable () async -> Void
) async {
  await withTaskGroup(of: Void.self) { group in
    group.addTask(operation: work)
    group.addTask { try? await Task.sleep(for: .seconds(seconds)) }
    await group.next()
    group.cancelAll()
  }
}
