package import Evaluation
package import Hardware
package import KernelSpec
package import RunnerProtocol
import TensorProgram
import CodeGeneration

/// Turns schedules into artifacts and judges them: what making a baseline and searching have in common.
package struct Workshop: Sendable {
  package let compiler: any KernelCompiler
  package let runner: any KernelRunner
  package let hardware: HardwareDescription
  private let ceilings: KeptCeilings

  package init(
    compiler: any KernelCompiler, runner: any KernelRunner, hardware: HardwareDescription,
    ceilings: KeptCeilings
  ) {
    self.compiler = compiler
    self.runner = runner
    self.hardware = hardware
    self.ceilings = ceilings
  }

  /// The hardware's ceilings, measured when they are not known yet.
  package var measuredCeilings: Ceilings { ceilings.value }

  /// A source with what it compiled to.
  package struct Built: Sendable {
    package let source: KernelSource
    package let artifact: Artifact
  }

  /// Renders and compiles a schedule; a schedule or source that is refused is an outcome.
  package func build(_ schedule: Schedule, of plan: KernelPlan) async -> Result<
    Built, RefusedCandidate
  > {
    if let reason = plan.generator.violation(of: schedule, for: plan.fused) {
      return .failure(RefusedCandidate(outcome: .illegal(reason: reason)))
    }
    let source: KernelSource
    do {
      source = try plan.generator.source(for: plan.fused, schedule: schedule)
    } catch {
      return .failure(RefusedCandidate(outcome: .illegal(reason: "\(error)")))
    }
    switch await compiler.compile(source) {
    case .artifact(let artifact): return .success(Built(source: source, artifact: artifact))
    case .failed(let log):
      return .failure(RefusedCandidate(outcome: .compileFailed(log: log)))
    }
  }

  /// The expected values of the plan's spec on inputs that `seed` decides.
  ///
  /// - Throws: ``OptimizationError`` when the reference cannot be compiled or run.
  package func referenceValues(
    of plan: KernelPlan, interface: KernelInterface, depth: VerificationDepth, seed: UInt64
  ) async throws(OptimizationError) -> ReferenceValues {
    let source = ReferenceSource.make(for: plan.program)
    guard case .artifact(let reference) = await compiler.compile(source) else {
      throw OptimizationError(
        .internalError, "\(plan.spec.name): the reference kernel does not compile")
    }
    do {
      return try await ReferenceValues.compute(
        reference, for: interface, runner: runner,
        distributions: depth.distributions(for: plan.work), seed: seed)
    } catch {
      throw OptimizationError(.environment, "\(plan.spec.name): \(error)")
    }
  }

  /// Verifies an artifact in a fresh process.
  package func verify(
    _ artifact: Artifact, of plan: KernelPlan, against values: ReferenceValues
  ) async throws -> VerificationOutcome {
    let verifier = Verifier(
      runner: runner, numerics: plan.spec.numerics, threads: hardware.tuning.threads)
    return try await verifier.verify(artifact, against: values)
  }

  /// Measures an artifact against another of the same plan, on those inputs whose results are finite.
  package func compare(
    _ artifact: Artifact, with incumbent: Artifact, of plan: KernelPlan, values: ReferenceValues
  ) async throws -> TimingOutcome {
    var random = SystemRandomNumberGenerator()
    let timer = PairedTimer(
      runner: runner, numerics: plan.spec.numerics, threads: hardware.tuning.threads,
      seed: random.next())
    let outcome = try await timer.compare(
      candidate: artifact, incumbent: incumbent,
      cases: Array(values.cases.filter { $0.distribution != .special }.prefix(2)),
      floorNanoseconds: floorSeconds(of: plan) * 1e9 * credibleShareOfFloor)
    if case .measured(let timing) = outcome,
      timing.nanoseconds * 1e-9 * measurementSlack < floorSeconds(of: plan)
    {
      ceilings.measureAgain()
    }
    return outcome
  }

  /// What protects the machine from a candidate: asked of a runner that loads a kernel which does nothing.
  package func sandboxReport() async throws -> SandboxReport {
    let source = KernelSource(
      language: .c, text: "int granary_entry(void) { return 0; }", compilerOptions: [],
      interface: KernelInterface(
        entryPoint: "granary_entry", inputs: [], outputs: [], inputDomains: [],
        workspaceBytes: 0, alignmentBytes: 64))
    guard case .artifact(let artifact) = await compiler.compile(source) else {
      throw OptimizationError(.environment, "\(compiler.identity) cannot compile an empty kernel")
    }
    let session = try await runner.open(artifact, threads: 1, limits: RunnerLimits())
    let report = await session.sandbox
    await session.close()
    return report
  }

  /// No kernel takes less time than this for the plan's work: a lower measurement is not believed.
  package func floorSeconds(of plan: KernelPlan) -> Double {
    Roofline(ceilings: ceilings.value).seconds(
      for: plan.work, dtype: plan.arithmeticType)
  }

  /// The share of the measured ceiling that `seconds` for one call amounts to.
  package func rooflineFraction(of plan: KernelPlan, seconds: Double) -> Double {
    min(1, seconds > 0 ? floorSeconds(of: plan) / seconds : 0)
  }
}

/// A candidate that did not become an artifact.
package struct RefusedCandidate: Error, Sendable {
  package let outcome: CandidateOutcome
}

/// How many kinds of input a kernel is verified on.
package enum VerificationDepth: Sendable {
  /// Before every serving, and for each candidate of a search.
  case full
  /// For a champion, before it replaces a baseline.
  case champion

  /// Fewer for large specs, whose many elements see more values each.
  func distributions(for work: Work) -> [InputDistribution] {
    let isLarge = work.floatingPointOperations > 5e7 || work.bytes > 8e6
    switch (self, isLarge) {
    case (.full, true): return [.normal, .special]
    case (.full, false): return [.normal, .integers, .zeros, .special]
    case (.champion, true): return [.uniform, .large, .integers, .special]
    // Not `constant`: the variance of equal values is 0, and a norm of them is all rounding.
    case (.champion, false): return InputDistribution.allCases.filter { $0 != .constant }
    }
  }
}

/// A time below this share of the roofline's is refused. Ceilings are the best of short rounds and may be
/// measured somewhat too low on a busy machine.
private let credibleShareOfFloor = 0.5
/// By how much a kernel may seem faster than the ceilings before they are measured again.
private let measurementSlack = 1.03
