import CacheStore
import Evaluation
import KernelSpec
import Knowledge
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
  private var judge: CandidateJudge
  private var costs: CostLearner
  private let records: CostRecords?

  init(
    plan: KernelPlan, workshop: Workshop, store: CacheStore, time: any TimeSource, log: Logger,
    id: Int64, engine: SearchEngine, baseline: Artifact, records: CostRecords?
  ) async throws {
    self.records = records
    costs = CostLearner(plan, records: records)
    costs.note(engine.candidates)
    self.plan = plan
    self.workshop = workshop
    self.store = store
    self.time = time
    self.log = log
    self.id = id
    self.engine = engine
    judge = try await CandidateJudge(
      plan: plan, workshop: workshop, baseline: baseline, known: engine.candidates)
  }

  /// Searches until a limit is reached or the task is cancelled, and publishes the champion if it beats the baseline.
  ///
  /// - Parameter report: told after every candidate.
  mutating func run(report: (SearchProgress) async -> Void) async throws -> TerminationReason? {
    do {
      let reason = try await search(report)
      await judge.close()
      return reason
    } catch {
      await judge.close()
      throw error
    }
  }

  private mutating func search(
    _ report: (SearchProgress) async -> Void
  ) async throws -> TerminationReason? {
    while !Task.isCancelled {
      switch proposed() {
      case .finish(let reason):
        try await publishResult()
        keepCosts()
        try store.saveSearch(
          id, checkpoint: try SearchRecord.encode(engine.checkpoint), finished: reason.rawValue)
        return reason
      case .wait: return nil
      case .evaluate(let proposals):
        let prepared = try await judge.prepare(proposals)
        for (proposal, candidate) in zip(proposals, prepared) {
          let outcome = try await judge.outcome(
            of: candidate, id: proposal.id, goal: engine.champion?.outcome.fitness ?? 1)
          try record(outcome, of: proposal)
          await report(progress(state: .running))
        }
      }
    }
    return nil
  }

  private mutating func proposed() -> SearchAction {
    let start = time.monotonicSeconds
    defer { workshop.times.add(time.monotonicSeconds - start, to: .propose) }
    return engine.next(now: start, ranking: costs)
  }

  /// Keeps for later searches what candidates cost. Without it they learn it anew, so a failure ends nothing.
  private func keepCosts() {
    do {
      try records?.add(costs.own, to: costs.kind)
    } catch {
      note("what candidates cost was not kept", error)
    }
  }

  private mutating func record(_ outcome: CandidateOutcome, of proposal: Proposal) throws {
    let inserted = engine.record(id: proposal.id, outcome: outcome, at: time.monotonicSeconds)
    costs.note(inserted)
    let start = time.monotonicSeconds
    try store.saveSearch(
      id, checkpoint: try SearchRecord.encode(engine.checkpoint), candidates: inserted)
    try store.increment(["candidates_evaluated": 1])
    workshop.times.add(time.monotonicSeconds - start, to: .record)
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

  /// Publishes the fittest candidate that is right and faster than the baseline beyond doubt, else the baseline
  /// again, now with its measurements.
  private mutating func publishResult() async throws {
    for candidate in engine.fittest.prefix(contenders)
    where candidate.id != 0 && candidate.outcome.fitness > 1 {
      if try await publish(candidate, as: .tuned) { return }
    }
    if let first = engine.candidates.first { _ = try await publish(first, as: .baseline) }
  }

  /// Verifies a candidate once more, in fresh processes and on other inputs, measures it anew against the
  /// baseline, and publishes it; as `tuned` only if the lower bound of its speedup is great enough.
  private func publish(_ candidate: CandidateRecord, as verdict: Verdict) async throws -> Bool {
    guard case .success(let built) = await workshop.build(candidate.schedule, of: plan) else {
      return false
    }
    let verification = try await workshop.verifyForPublication(built.artifact, of: plan)
    guard case .passed(let checks) = verification else {
      note("candidate \(candidate.id) failed its second verification", verification)
      return false
    }
    let (comparison, floor) = try await workshop.confirm(
      built.artifact, against: judge.baseline, of: plan, values: judge.values)
    guard case .measured(let timing) = comparison,
      verdict == .baseline || timing.speedupLowerBound > leastSpeedup(timing)
    else {
      note("candidate \(candidate.id) was not confirmed", comparison)
      return false
    }
    let evidence = Evidence(
      artifact: built.artifact.manifest.digest, hardware: plan.key["hardware"] ?? "",
      toolchain: built.artifact.manifest.toolchain, checks: checks,
      timing: timing.evidence(floorNanoseconds: floor),
      recordedAt: time.wallSeconds, provenance: workshop.provenance)
    _ = try store.publish(
      built, verdict: verdict, evidence: evidence,
      searchSeconds: engine.checkpoint.spentSeconds, of: plan)
    return true
  }
}

/// How many candidates are tried as champion: the fittest may be so by luck.
private let contenders = 3

/// What the lower confidence bound of a champion's speedup must exceed: 1, and the noise that paired timing of a
/// kernel against itself shows, which is greater when other work never let the cores go.
private func leastSpeedup(_ timing: PairedTiming) -> Double { timing.isQuiet ? 1.01 : 1.05 }
