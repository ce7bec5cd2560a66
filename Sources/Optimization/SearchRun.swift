import CacheStore
import Evaluation
import KernelSpec
import Logging
import Search
import Support

/// One search, from the first proposal to a published champion: asks the engine what to do, does it, and keeps
/// every outcome before going on.
struct SearchRun {
  let plan: KernelPlan
  let workshop: Workshop
  let store: CacheStore
  let time: any TimeSource
  let log: Logger
  /// The search's row in the store.
  let id: Int64
  private(set) var engine: SearchEngine
  /// What every candidate is measured against: the baseline's artifact.
  private let baseline: Artifact
  private let values: ReferenceValues
  /// Every artifact so far, so that identical binaries are measured once.
  private var seen: [Digest: (id: Int, fitness: Double)] = [:]

  init(
    plan: KernelPlan, workshop: Workshop, store: CacheStore, time: any TimeSource, log: Logger,
    id: Int64,
    engine: SearchEngine, baseline: Artifact
  ) async throws(OptimizationError) {
    self.plan = plan
    self.workshop = workshop
    self.store = store
    self.time = time
    self.log = log
    self.id = id
    self.engine = engine
    self.baseline = baseline
    var random = SystemRandomNumberGenerator()
    values = try await workshop.referenceValues(
      of: plan, interface: baseline.manifest.interface, depth: .full, seed: random.next())
    for candidate in engine.candidates {
      if case .measured(let artifact, let fitness, _) = candidate.outcome {
        seen[artifact] = (candidate.id, fitness)
      }
    }
  }

  /// Searches until a limit is reached or the task is cancelled, and publishes the champion if it beats the baseline.
  ///
  /// - Parameter report: told after every candidate.
  mutating func run(report: (SearchProgress) async -> Void) async throws -> TerminationReason? {
    while !Task.isCancelled {
      switch engine.next(now: time.monotonicSeconds) {
      case .finish(let reason):
        try await publishResult()
        try store.saveSearch(
          id, checkpoint: try SearchRecord.encode(engine.checkpoint), finished: reason.rawValue)
        return reason
      case .wait: return nil
      case .evaluate(let proposals):
        let built = await build(proposals)
        for (proposal, result) in zip(proposals, built) {
          try await judge(proposal, result)
          await report(progress(state: .running))
        }
      }
    }
    return nil
  }

  /// How far the search has come.
  func progress(state: SearchProgress.State) -> SearchProgress {
    let limits = engine.checkpoint.configuration.limits
    let elapsed = engine.checkpoint.spentSeconds
    var progress = SearchProgress(
      key: plan.key.digest, state: state, elapsedSeconds: elapsed,
      secondsLeft: max(0, limits.seconds - elapsed), candidates: engine.candidates.count)
    if case .measured(_, _, let nanoseconds) = engine.candidates.first?.outcome {
      progress.baselineNanoseconds = nanoseconds
    }
    if let champion = engine.champion, case .measured(_, let fitness, let time) = champion.outcome {
      progress.bestSpeedup = fitness
      progress.bestNanoseconds = time
      progress.rooflineFraction = workshop.rooflineFraction(of: plan, seconds: time * 1e-9)
    }
    progress.termination = engine.termination?.rawValue
    return progress
  }

  private func note(_ message: String, _ outcome: some Sendable) {
    log.info("\(message)", metadata: ["name": "\(plan.spec.name)", "outcome": "\(outcome)"])
  }

  private func build(_ proposals: [Proposal]) async -> [Result<Workshop.Built, RefusedCandidate>] {
    let (plan, workshop) = (plan, workshop)
    return await withTaskGroup(of: (Int, Result<Workshop.Built, RefusedCandidate>).self) { group in
      for (position, proposal) in proposals.enumerated() {
        group.addTask { (position, await workshop.build(proposal.schedule, of: plan)) }
      }
      var results: [Int: Result<Workshop.Built, RefusedCandidate>] = [:]
      for await (position, result) in group { results[position] = result }
      return proposals.indices.compactMap { results[$0] }
    }
  }

  private mutating func judge(
    _ proposal: Proposal, _ result: Result<Workshop.Built, RefusedCandidate>
  ) async throws {
    let outcome: CandidateOutcome =
      switch result {
      case .failure(let refused): refused.outcome
      case .success(let built): try await evaluate(built, id: proposal.id)
      }
    let inserted = engine.record(
      id: proposal.id, outcome: outcome, at: time.monotonicSeconds)
    try store.saveSearch(
      id, checkpoint: try SearchRecord.encode(engine.checkpoint), candidates: inserted)
    try store.increment(["candidates_evaluated": 1])
  }

  private mutating func evaluate(_ built: Workshop.Built, id: Int) async throws -> CandidateOutcome
  {
    let digest = built.artifact.manifest.digest
    if let earlier = seen[digest] {
      return .duplicate(of: earlier.id, fitness: earlier.fitness)
    }
    if case .failed(let failure) = try await workshop.verify(
      built.artifact, of: plan, against: values)
    {
      return failure.outcome
    }
    let comparison = try await workshop.compare(
      built.artifact, with: baseline, of: plan, values: values)
    switch comparison {
    case .failed(let failure): return failure.outcome
    case .measured(let timing):
      let fitness = id == 0 ? 1 : timing.speedup
      seen[digest] = (id, fitness)
      return .measured(artifact: digest, fitness: fitness, nanoseconds: timing.nanoseconds)
    }
  }

  /// Publishes the champion when it is right and faster than the baseline beyond doubt, else the baseline again,
  /// now with its measurements.
  private mutating func publishResult() async throws {
    if let champion = engine.champion, champion.id != 0,
      try await publish(champion, as: .tuned, atLeast: 1 + promotionMargin)
    {
      return
    }
    if let first = engine.candidates.first {
      _ = try await publish(first, as: .baseline, atLeast: 0)
    }
  }

  /// Verifies a candidate once more, in a fresh process and on other inputs, measures it anew, and publishes
  /// it if the lower bound of its speedup exceeds `bound`.
  private func publish(
    _ candidate: CandidateRecord, as verdict: Verdict, atLeast bound: Double
  ) async throws -> Bool {
    guard case .success(let built) = await workshop.build(candidate.schedule, of: plan) else {
      return false
    }
    var random = SystemRandomNumberGenerator()
    let fresh = try await workshop.referenceValues(
      of: plan, interface: built.source.interface, depth: .champion, seed: random.next())
    let verification = try await workshop.verify(built.artifact, of: plan, against: fresh)
    guard case .passed(let checks) = verification else {
      note("candidate \(candidate.id) failed its second verification", verification)
      return false
    }
    let comparison = try await workshop.compare(
      built.artifact, with: baseline, of: plan, values: fresh)
    guard case .measured(let timing) = comparison, timing.speedupLowerBound > bound else {
      note("candidate \(candidate.id) was not confirmed", comparison)
      return false
    }
    let evidence = Evidence(
      artifact: built.artifact.manifest.digest, hardware: plan.key["hardware"] ?? "",
      toolchain: built.artifact.manifest.toolchain, checks: checks,
      timing: timing.evidence(floorNanoseconds: workshop.floorSeconds(of: plan) * 1e9),
      recordedAt: time.wallSeconds)
    _ = try store.publish(
      built, verdict: verdict, evidence: evidence,
      searchSeconds: engine.checkpoint.spentSeconds, of: plan)
    return true
  }
}

/// By how much the lower confidence bound of a champion's speedup must exceed 1: the noise that paired
/// timing of a kernel against itself shows.
private let promotionMargin = 0.01
