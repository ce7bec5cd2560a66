import CodeGeneration
package import Evaluation
import Hardware
package import KernelSpec
import TensorProgram

extension Workshop {
  /// The expected values of the plan's spec on inputs that `seed` decides.
  ///
  /// - Throws: ``OptimizationError`` when the reference cannot be compiled or run.
  package func referenceValues(
    of plan: KernelPlan, on distributions: [InputDistribution], seed: UInt64,
    narrows: Bool = false
  ) async throws(OptimizationError) -> ReferenceValues {
    let reference = try await reference(of: plan)
    let processes = casesAtOnce(of: plan)
    // The reference's own outputs have other types, of which larger numbers are in range.
    var interface = reference.manifest.interface
    interface.outputs = plan.program.outputs.map { plan.program[$0].type }
    let asked = interface
    do {
      return try await gate.work {
        try await times.measure(.reference) {
          let values = try await ReferenceValues.compute(
            reference, for: asked, runner: runner,
            distributions: distributions, seed: seed, processes: processes, narrows: narrows,
            limits: VerificationNeeds(plan).referenceLimits)
          return values.appending(plan.trailingInputs)
        }
      }
    } catch {
      throw OptimizationError(.environment, "\(plan.spec.name): \(error)")
    }
  }

  private func reference(of plan: KernelPlan) async throws(OptimizationError) -> Artifact {
    let source = plan.reference
    if let known = references[source] { return known }
    switch await compile(source, for: .reference) {
    case .artifact(let artifact):
      references.keep(artifact, of: source)
      return artifact
    case .failed(let log):
      throw OptimizationError(
        .internalError,
        "\(plan.spec.name): the reference kernel does not compile: \(log.prefix(500))")
    }
  }

  /// - Parameters:
  ///   - limits: `nil` for those that the plan's work asks for.
  ///   - threads: `nil` for all of the machine's.
  func verifier(
    of plan: KernelPlan, limits: RunnerLimits? = nil, threads: Int? = nil
  ) -> Verifier {
    Verifier(
      runner: runner, numerics: plan.spec.numerics, threads: threads ?? hardware.tuning.threads,
      limits: limits ?? VerificationNeeds(plan).limits)
  }

  /// How many cases are made side by side and kept at once: one for each thread, as far as memory suffices.
  private func casesAtOnce(of plan: KernelPlan) -> Int {
    VerificationNeeds(plan).cases(
      upTo: hardware.tuning.threads, within: memory.totalBytes / 2)
  }

  /// Runs what verifies kernels of the plan for publication when there is memory for it.
  ///
  /// - Throws: ``OptimizationError`` when there never is, and what `work` throws.
  func reservingMemory<Value: Sendable>(
    for plan: KernelPlan, _ work: @Sendable () async throws -> Value
  ) async throws -> Value {
    let parts = publicationParts(of: plan)
    let bytes = VerificationNeeds(plan).publicationBytes(
      cases: parts.map(\.count).max() ?? 1, processes: casesAtOnce(of: plan),
      runs: isSmall(plan) ? 2 : 1)
    guard bytes <= memory.totalBytes else {
      throw OptimizationError(
        .environment,
        "\(plan.spec.name): verifying it takes about \(bytes >> 20) MiB of memory, and this process "
          + "may use \(memory.totalBytes >> 20) MiB for that")
    }
    return try await memory.run(bytes, work)
  }

  /// Verifies an artifact in a fresh process.
  package func verify(
    _ artifact: Artifact, of plan: KernelPlan, against values: ReferenceValues,
    threads: Int? = nil
  ) async throws -> VerificationOutcome {
    try await gate.work {
      try await times.measure(.verify) {
        try await verifier(of: plan, threads: threads).verify(artifact, against: values)
      }
    }
  }

  /// Verifies an artifact as processes with fewer threads than this machine has will call it.
  private func verifyWithFewerThreads(
    _ artifact: Artifact, of plan: KernelPlan, against values: ReferenceValues
  ) async throws -> VerificationFailure? {
    // What depends on the number of threads is how work is shared out, not the values.
    let few = ReferenceValues(cases: Array(values.cases.prefix(plan.work.isLarge ? 1 : 2)))
    for threads in [1, 2] where threads < hardware.tuning.threads {
      let outcome = try await verify(artifact, of: plan, against: few, threads: threads)
      if var failure = outcome.failure {
        failure.reason = "with \(threads) thread\(threads == 1 ? "" : "s"): \(failure.reason)"
        return failure
      }
    }
    return nil
  }

  /// The complete set of inputs in parts: those of specs that take much memory are made, used and dropped a few at a
  /// time. Others are kept together, so that each process is started once.
  func publicationParts(of plan: KernelPlan) -> [[InputDistribution]] {
    let all = VerificationDepth.publication.distributions(for: plan.work)
    let step = !plan.work.isLarge || isSmall(plan) ? all.count : casesAtOnce(of: plan)
    return stride(from: 0, to: all.count, by: step).map {
      Array(all[$0..<min($0 + step, all.count)])
    }
  }

  /// Whether there is memory to keep all cases of the plan at once, and to run its kernel twice at the same time.
  private func isSmall(_ plan: KernelPlan) -> Bool {
    let count = VerificationDepth.publication.distributions(for: plan.work).count
    let bytes = VerificationNeeds(plan).publicationBytes(
      cases: count, processes: casesAtOnce(of: plan), runs: 2)
    return bytes <= min(mostBytesTogether, memory.totalBytes / 4)
  }

  /// Verifies an artifact with all threads and with fewer, side by side where there is memory for it: both mostly copy
  /// and compare, each on one core.
  private func verifyWithAllThreadsAndFewer(
    _ artifact: Artifact, of plan: KernelPlan, against values: ReferenceValues
  ) async throws -> VerificationOutcome {
    guard isSmall(plan) else {
      let outcome = try await verify(artifact, of: plan, against: values)
      guard case .passed = outcome else { return outcome }
      let failure = try await verifyWithFewerThreads(artifact, of: plan, against: values)
      return failure.map { .failed($0) } ?? outcome
    }
    async let fewer = verifyWithFewerThreads(artifact, of: plan, against: values)
    let outcome = try await verify(artifact, of: plan, against: values)
    let failure = try await fewer
    guard case .passed = outcome, let failure else { return outcome }
    return .failed(failure)
  }

  /// Verifies an artifact on the complete set of inputs, all of them new.
  ///
  /// - Parameter start: the values of the first part, if they were made beforehand.
  package func verifyForPublication(
    _ artifact: Artifact, of plan: KernelPlan, startingWith start: ReferenceValues? = nil
  ) async throws -> VerificationOutcome {
    var random = SystemRandomNumberGenerator()
    var passed: [Evidence.CorrectnessCheck] = []
    var made = start
    var parts = publicationParts(of: plan)
    while !parts.isEmpty {
      let values: ReferenceValues
      if let made {
        values = made
      } else {
        values = try await referenceValues(of: plan, on: parts[0], seed: random.next())
      }
      parts.removeFirst()
      made = nil
      let isFirst = passed.isEmpty
      async let isTelling =
        !isFirst || signal(of: plan, in: values, findsAll: false).passing.isEmpty
      let outcome =
        isFirst
        ? try await verifyWithAllThreadsAndFewer(artifact, of: plan, against: values)
        : try await verify(artifact, of: plan, against: values)
      guard case .passed(let checks) = outcome else { return outcome }
      passed += checks
      // What these inputs do not tell from a right answer, others may.
      if await !isTelling { parts += revealingDistributions.map { [$0] } }
    }
    return .passed(passed)
  }

  /// Loads a candidate in a process of its own and verifies it there.
  ///
  /// - Parameter baselineNanoseconds: what the baseline's first call took, which limits the candidate's.
  func screen(
    _ artifact: Artifact, of plan: KernelPlan, against values: ReferenceValues,
    baselineNanoseconds: Double
  ) async throws -> ScreeningOutcome {
    try await gate.work {
      try await times.measure(.verify) {
        var limits = VerificationNeeds(plan).limits
        limits.time = .nanoseconds(Int64(baselineNanoseconds * patienceFactor)) + .seconds(1)
        let verifier = verifier(of: plan, limits: limits)
        switch try await verifier.load(artifact) {
        case .failure(let failure): return .failed(failure)
        case .success(let kernel):
          let outcome = try await verifier.verify(
            kernel, against: values,
            hopelessNanoseconds: baselineNanoseconds * hopelessFactor + hopelessNanoseconds)
          switch outcome {
          case .passed: return .ready(kernel)
          case .hopeless(let nanoseconds):
            await kernel.session.close()
            return .hopeless(nanoseconds: nanoseconds)
          case .failed(let failure):
            await kernel.session.close()
            return .failed(failure)
          }
        }
      }
    }
  }

  /// Measures a loaded kernel against another of the same plan, on those inputs whose results are finite.
  func compare(
    _ candidate: LoadedKernel, with incumbent: LoadedKernel, of plan: KernelPlan,
    values: ReferenceValues, effort: TimingEffort, goal: Double
  ) async throws -> TimingOutcome {
    var random = SystemRandomNumberGenerator()
    let timer = PairedTimer(numerics: plan.spec.numerics, gate: gate, seed: random.next())
    let cases = Array(values.cases.filter { $0.distribution != .special }.prefix(2))
    func time(floor: Double) async throws -> TimingOutcome {
      try await times.measure(.timing) {
        try await timer.compare(
          candidate: candidate, incumbent: incumbent, cases: cases, floorNanoseconds: floor,
          effort: effort, goal: goal)
      }
    }
    let outcome = try await time(floor: 0)
    guard case .measured(let timing) = outcome,
      timing.nanoseconds * measurementSlack < floorSeconds(of: plan) * 1e9
    else { return outcome }
    // Either the ceilings were measured on a busy machine, or the time is not true.
    await gate.measure { ceilings.measureAgain() }
    return try await time(floor: floorSeconds(of: plan) * 1e9 * credibleShareOfFloor)
  }

  /// Makes sure that the hardware's ceilings are known, before anything needs them in a hurry.
  func measureCeilings() async { await gate.measure { _ = ceilings.value } }

  /// Loads both artifacts in fresh processes and measures them with care, between two measurements of what the
  /// hardware allows.
  ///
  /// - Returns: the outcome, and the least time of the moment in nanoseconds.
  package func confirm(
    _ artifact: Artifact, against baseline: Artifact, of plan: KernelPlan, values: ReferenceValues
  ) async throws -> (outcome: TimingOutcome, floorNanoseconds: Double) {
    let verifier = verifier(of: plan)
    switch (try await verifier.load(artifact), try await verifier.load(baseline)) {
    case (.success(let candidate), .success(let incumbent)):
      let before = await presentFloorSeconds(of: plan)
      let outcome = try await compare(
        candidate, with: incumbent, of: plan, values: values, effort: .confirmation, goal: 1)
      let after = await presentFloorSeconds(of: plan)
      await candidate.session.close()
      await incumbent.session.close()
      return (outcome, (before + after) / 2 * 1e9)
    case (.failure(let failure), _), (_, .failure(let failure)): return (.failed(failure), 0)
    }
  }
}

/// What screening a candidate came to.
enum ScreeningOutcome: Sendable {
  /// It is right on the screening's inputs; its process waits to be timed.
  case ready(LoadedKernel)
  case hopeless(nanoseconds: Double)
  case failed(VerificationFailure)
}

/// A time below this share of the roofline's is refused. The ceilings are those of the best of many short
/// rounds, measured again at the first doubt; what is left is that a program may do less than it is counted
/// for (half the work of a clamp whose branches are known, a gather that reads one row again and again).
private let credibleShareOfFloor = 0.5
/// By how much a kernel may seem faster than the ceilings before they are measured again.
private let measurementSlack = 1.03
/// A candidate is killed when one command takes longer than this many times the baseline's first call, and a
/// second.
private let patienceFactor = 50.0
/// A candidate whose first call takes longer than this many times the baseline's, and `hopelessNanoseconds`,
/// is not timed.
private let hopelessFactor = 4.0
private let hopelessNanoseconds = 3e6
/// What the cases of one verification may take when all are kept at once: few problems need more, and several
/// verifications may run.
private let mostBytesTogether = 3 << 30
