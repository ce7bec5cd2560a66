import Evaluation
import KernelSpec
import RunnerProtocol
import Search

/// Says what becomes of each candidate of a search.
///
/// Candidates are built and screened side by side and then timed one after the other, with nothing else going
/// on. Inputs, expected values and the baseline's process are made once and used for all.
struct CandidateJudge {
  let plan: KernelPlan
  let workshop: Workshop
  /// What every candidate is measured against.
  let baseline: Artifact
  let values: ReferenceValues
  private let incumbent: Incumbent
  private let baselineNanoseconds: Double
  /// The complete set of inputs, made when a candidate first beats all others.
  private var complete: ReferenceValues?
  /// Every artifact so far, so that identical binaries are measured once.
  private var seen: [Digest: (id: Int, fitness: Double)] = [:]
  /// What each source so far was compiled to, so that schedules that mean the same are compiled once.
  private var compiled: [KernelSource: Digest] = [:]

  init(
    plan: KernelPlan, workshop: Workshop, baseline: Artifact, known: [CandidateRecord]
  ) async throws {
    self.plan = plan
    self.workshop = workshop
    self.baseline = baseline
    await workshop.measureCeilings()
    var random = SystemRandomNumberGenerator()
    values = try await workshop.referenceValues(
      of: plan, on: VerificationDepth.screening.distributions(for: plan.work), seed: random.next())
    var limits = VerificationNeeds(plan).limits
    limits.processorSeconds = 1 << 20
    incumbent = Incumbent(baseline, verifier: workshop.verifier(of: plan, limits: limits))
    let kernel = try await incumbent.loaded()
    let inputs = values.cases.first?.inputs ?? []
    baselineNanoseconds = try await kernel.session.run(inputs: inputs, guards: .end)
      .runnerNanoseconds
    for candidate in known {
      if case .measured(let artifact, let fitness, _) = candidate.outcome {
        seen[artifact] = (candidate.id, fitness)
      }
    }
  }

  func close() async { await incumbent.close() }

  /// A candidate that is known to be right or wrong, but not how fast.
  enum Prepared: Sendable {
    case ready(LoadedKernel, Workshop.Built)
    case hopeless(Workshop.Built, nanoseconds: Double)
    case duplicate(Digest)
    case refused(CandidateOutcome)
  }

  /// Builds and screens candidates side by side.
  func prepare(_ proposals: [Proposal]) async throws -> [Prepared] {
    try await withThrowingTaskGroup(of: (Int, Prepared).self) { group in
      for (position, proposal) in proposals.enumerated() {
        group.addTask { (position, try await prepare(proposal)) }
      }
      var results: [Int: Prepared] = [:]
      for try await (position, result) in group { results[position] = result }
      return proposals.indices.compactMap { results[$0] }
    }
  }

  private func prepare(_ proposal: Proposal) async throws -> Prepared {
    let source: KernelSource
    switch workshop.render(proposal.schedule, of: plan) {
    case .failure(let refused): return .refused(refused.outcome)
    case .success(let rendered): source = rendered
    }
    if let digest = compiled[source], seen[digest] != nil { return .duplicate(digest) }
    switch await workshop.build(source) {
    case .failure(let refused): return .refused(refused.outcome)
    case .success(let built):
      let digest = built.artifact.manifest.digest
      if seen[digest] != nil { return .duplicate(digest) }
      let screening = try await workshop.screen(
        built.artifact, of: plan, against: values, baselineNanoseconds: baselineNanoseconds)
      switch screening {
      case .ready(let kernel): return .ready(kernel, built)
      case .hopeless(let nanoseconds): return .hopeless(built, nanoseconds: nanoseconds)
      case .failed(let failure): return .refused(failure.outcome)
      }
    }
  }

  /// Times a candidate, and verifies it completely when it beats all others.
  ///
  /// - Parameter goal: the fitness of the best so far.
  mutating func outcome(
    of candidate: Prepared, id: Int, goal: Double
  ) async throws -> CandidateOutcome {
    switch candidate {
    case .refused(let outcome): return outcome
    case .hopeless(let built, let nanoseconds):
      return measured(built, id: id, baselineNanoseconds / nanoseconds, nanoseconds)
    case .duplicate(let digest):
      return duplicate(digest) ?? .runFailed(reason: "its equal is not known any more")
    case .ready(let kernel, let built):
      // Two of one batch may be equal.
      let outcome =
        if let known = duplicate(built.artifact.manifest.digest) { known } else {
          try await outcome(of: kernel, built, id: id, goal: goal)
        }
      await kernel.session.close()
      return outcome
    }
  }

  private func duplicate(_ digest: Digest) -> CandidateOutcome? {
    seen[digest].map { .duplicate(of: $0.id, fitness: $0.fitness) }
  }

  private mutating func measured(
    _ built: Workshop.Built, id: Int, _ fitness: Double, _ nanoseconds: Double
  ) -> CandidateOutcome {
    let digest = built.artifact.manifest.digest
    seen[digest] = (id, fitness)
    compiled[built.source] = digest
    return .measured(artifact: digest, fitness: fitness, nanoseconds: nanoseconds)
  }

  private mutating func outcome(
    of kernel: LoadedKernel, _ built: Workshop.Built, id: Int, goal: Double
  ) async throws -> CandidateOutcome {
    let timing: PairedTiming
    switch try await compare(kernel, goal: goal) {
    case .failed(let failure): return failure.outcome
    case .measured(let measured): timing = measured
    }
    // The baseline is what the others are compared with, so its ratio to itself is 1 whatever was measured. Of a
    // comparison that other work disturbed, only the lower bound is believed.
    let fitness =
      id == 0 ? 1 : timing.isQuiet ? timing.speedup : min(timing.speedup, timing.speedupLowerBound)
    if id != 0, fitness > goal, let failure = try await completeFailure(of: built.artifact) {
      return failure.outcome
    }
    return measured(built, id: id, fitness, timing.nanoseconds)
  }

  /// Once more when the incumbent's process was ended by something else.
  private func compare(_ kernel: LoadedKernel, goal: Double) async throws -> TimingOutcome {
    do {
      return try await workshop.compare(
        kernel, with: try await incumbent.loaded(), of: plan, values: values,
        effort: .exploration, goal: goal)
    } catch let error as EvaluationError where error.code == .referenceFailed {
      return try await workshop.compare(
        kernel, with: try await incumbent.loaded(), of: plan, values: values,
        effort: .exploration, goal: goal)
    }
  }

  /// What the complete set of inputs shows that the screening's did not.
  private mutating func completeFailure(of artifact: Artifact) async throws -> VerificationFailure?
  {
    guard !plan.work.isHuge else { return nil }
    if complete == nil {
      var random = SystemRandomNumberGenerator()
      complete = try await workshop.referenceValues(
        of: plan, on: VerificationDepth.publication.distributions(for: plan.work),
        seed: random.next())
    }
    guard let complete else { return nil }
    return try await workshop.verify(artifact, of: plan, against: complete).failure
  }
}

extension Work {
  /// Whether its inputs and expected values are too large to be kept for all distributions; those are verified
  /// completely before they are published.
  fileprivate var isHuge: Bool { bytes > 64e6 }
}
