import CacheStore
import KernelSpec
import Knowledge
import Hardware
import Logging
import RemoteTiers
import Search
import Support
import Synchronization

extension KernelLibrary {
  /// Runs queued searches one after the other until the task is cancelled. First takes up again those that an
  /// earlier process left unfinished.
  package func runSearches() async {
    recallResults()
    await requeueUnfinished()
    await withDiscardingTaskGroup { pauses in
      while let order = await queue.next() {
        switch await turn(of: order) {
        case .search(let lease): await search(order, holding: lease)
        case .settled:
          await queue.publish(SearchProgress(key: order.plan.key.digest, state: .finished))
        case .later(let seconds):
          await queue.postpone(order)
          pauses.addTask { [queue] in
            try? await Task.sleep(for: .seconds(seconds))
            await queue.resume(order.plan.key.digest)
          }
        }
      }
      pauses.cancelAll()
    }
  }

  /// Searches and says so to the machines that wait, also when it fails.
  private func search(_ order: SearchQueue.Order, holding lease: TierLeases.Lease?) async {
    do {
      try await holding(lease) { try await self.searchWithinMemory(order) }
    } catch {
      log.error(
        "a search failed", metadata: ["name": "\(order.plan.spec.name)", "error": "\(error)"])
      await queue.publish(SearchProgress(key: order.plan.key.digest, state: .finished))
    }
  }

  /// Learns from the searches that earlier processes finished.
  private func recallResults() {
    do {
      for stored in try store.finishedSearches(limit: 1000) {
        let engine = SearchEngine(
          resuming: try SearchRecord.checkpoint(of: stored),
          candidates: try store.candidates(search: stored.id))
        let taught = SearchRecord.results(of: engine, hardware: workshop.hardware.tuning)
        past.withLock { $0.results += taught }
      }
    } catch {
      log.warning("earlier searches were not recalled", metadata: ["error": "\(error)"])
    }
  }

  private func requeueUnfinished() async {
    do {
      for stored in try store.unfinishedSearches() {
        let entry = try store.entry(keyPrefix: stored.key.hex)
        let spec = try Spec.parse(entry.spec).checked()
        let plan = try KernelPlan(spec: spec, hardware: workshop.hardware)
        guard plan.key.digest == stored.key else { continue }
        await queue.add(plan, limits: defaultLimits)
      }
    } catch {
      log.warning("unfinished searches were not taken up", metadata: ["error": "\(error)"])
    }
  }

  /// Searches when there is memory for it; not at all when there never is.
  private func searchWithinMemory(_ order: SearchQueue.Order) async throws {
    let plan = order.plan
    let bytes = VerificationNeeds(plan).searchBytes(
      batch: workshop.hardware.tuning.threads,
      cases: VerificationDepth.screening.distributions(for: plan.work).count)
    guard bytes <= workshop.memory.totalBytes else {
      log.warning(
        "too large to search for",
        metadata: ["name": "\(plan.spec.name)", "mebibytes": "\(bytes >> 20)"])
      return await queue.publish(SearchProgress(key: plan.key.digest, state: .finished))
    }
    try await workshop.memory.run(bytes) { try await self.search(order) }
  }

  private func search(_ order: SearchQueue.Order) async throws {
    let plan = order.plan
    guard let kernel = try store.lookup(key: plan.key.digest) else {
      await queue.publish(SearchProgress(key: plan.key.digest, state: .finished))
      return
    }
    let (id, engine) = try await begin(order)
    let baseline = try await baselineArtifact(of: plan, serving: kernel)
    var run = try await SearchRun(
      plan: plan, workshop: workshop, store: store, time: time, log: log, id: id, engine: engine,
      baseline: baseline, records: costs)
    log.info("search started", metadata: ["name": "\(plan.spec.name)"])
    let queue = queue
    let reason = try await run.run { await queue.publish($0) }
    var last = run.progress(state: .finished)
    last.termination = reason?.rawValue
    log.info(
      "search ended",
      metadata: [
        "name": "\(plan.spec.name)", "reason": "\(reason?.rawValue ?? "stopped")",
        "candidates": "\(last.candidates)", "speedup": "\(last.bestSpeedup ?? 0)",
      ])
    if reason != nil {
      let taught = SearchRecord.results(of: run.engine, hardware: workshop.hardware.tuning)
      past.withLock { $0.results += taught }
      await share(run.engine, of: plan)
      try store.increment(["searches_finished": 1])
      announceChange(of: plan.key.digest)
      if let served = try store.lookup(key: plan.key.digest), served.origin.isEmpty {
        queueUpload(plan.key.digest, revision: served.revision)
      }
    }
    await queue.publish(last)
  }

  /// Shares the fastest schedule of a finished search, unless it is the default that everybody has.
  private func share(_ engine: SearchEngine, of plan: KernelPlan) async {
    guard let shared, let champion = engine.champion, champion.id != 0 else { return }
    do {
      try await shared.share(champion.schedule, for: plan.key.digest)
    } catch {
      log.warning(
        "a schedule was not shared",
        metadata: ["name": "\(plan.spec.name)", "error": "\(error)"])
    }
  }

  /// The search to go on with, or a new one.
  private func begin(_ order: SearchQueue.Order) async throws -> (id: Int64, engine: SearchEngine) {
    let key = order.plan.key.digest
    if let stored = try store.unfinishedSearches().first(where: { $0.key == key }) {
      let candidates = try store.candidates(search: stored.id)
      let checkpoint = try SearchRecord.checkpoint(of: stored)
      return (stored.id, SearchEngine(resuming: checkpoint, candidates: candidates))
    }
    var random = SystemRandomNumberGenerator()
    let configuration = SearchConfiguration(
      seed: random.next(), batchSize: workshop.hardware.tuning.threads,
      limits: TerminationLimits(
        seconds: order.limits.seconds, candidates: order.limits.candidates))
    let received = await shared?.schedule(for: key)
    let fitting = received?.kernels.count == order.plan.space.kernels.count ? received : nil
    let engine = SearchEngine(
      configuration: configuration, space: order.plan.space,
      transplants: [fitting, try champion(ofLastSearchOf: key)].compactMap { $0 }
        + past.withLock { $0 }.transplants(
          for: order.plan.space, on: workshop.hardware.tuning, limit: transplantLimit))
    let id = try store.startSearch(
      key: key, seed: configuration.seed, configuration: try SearchRecord.encode(configuration),
      checkpoint: try SearchRecord.encode(engine.checkpoint))
    try store.increment(["searches_started": 1])
    return (id, engine)
  }

  /// Where a search that is made again begins.
  private func champion(ofLastSearchOf key: Digest) throws -> Schedule? {
    guard let last = try store.searches(key: key).first(where: \.isFinished) else { return nil }
    let engine = SearchEngine(
      resuming: try SearchRecord.checkpoint(of: last),
      candidates: try store.candidates(search: last.id))
    guard let champion = engine.champion, champion.id != 0 else { return nil }
    return champion.schedule
  }

  /// What candidates are measured against: the default schedule, built again when something else is served.
  private func baselineArtifact(of plan: KernelPlan, serving kernel: StoredKernel) async throws
    -> Artifact
  {
    if kernel.verdict == .baseline { return kernel.artifact }
    guard case .success(let built) = await workshop.build(plan.space.defaultSchedule, of: plan)
    else { return kernel.artifact }
    return built.artifact
  }
}

/// How many whole schedules of similar searches a search may try.
private let transplantLimit = 6
