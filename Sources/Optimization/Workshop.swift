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
  /// Where the time went.
  package let times = StageTimes()
  let gate = MeasurementGate()
  let ceilings: KeptCeilings
  let references = RecentArtifacts()
  let memory: MemoryReservations

  package init(
    compiler: any KernelCompiler, runner: any KernelRunner, hardware: HardwareDescription,
    ceilings: KeptCeilings
  ) {
    self.compiler = compiler
    self.runner = runner
    self.hardware = hardware
    self.ceilings = ceilings
    let quota = MemoryQuota()
    memory = MemoryReservations(totalBytes: quota.totalBytes / 4 * 3) { quota.freeBytes }
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
    switch render(schedule, of: plan) {
    case .failure(let refused): .failure(refused)
    case .success(let source): await build(source)
    }
  }

  /// Renders a schedule; one that is refused is an outcome.
  func render(_ schedule: Schedule, of plan: KernelPlan) -> Result<KernelSource, RefusedCandidate> {
    if let reason = plan.generator.violation(of: schedule, for: plan.fused) {
      return .failure(RefusedCandidate(outcome: .illegal(reason: reason)))
    }
    do {
      return .success(try plan.source(under: schedule))
    } catch {
      return .failure(RefusedCandidate(outcome: .illegal(reason: "\(error)")))
    }
  }

  /// Compiles a candidate; one that is refused is an outcome.
  func build(_ source: KernelSource) async -> Result<Built, RefusedCandidate> {
    switch await compile(source, for: .candidate) {
    case .artifact(let artifact): return .success(Built(source: source, artifact: artifact))
    case .failed(let log):
      return .failure(RefusedCandidate(outcome: .compileFailed(log: log)))
    }
  }

  /// Compiles when no measurement is running.
  func compile(_ source: KernelSource, for purpose: CompilationPurpose) async -> CompileOutcome {
    await gate.work {
      await times.measure(.compile) { await compiler.compile(source, for: purpose) }
    }
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

  /// The least time that the plan's work takes just now, in seconds: its arithmetic at the kept ceiling, its
  /// traffic at one of this moment.
  func presentFloorSeconds(of plan: KernelPlan) async -> Double {
    await gate.measure {
      let traffic = CeilingsMeasurement.trafficSeconds(
        for: plan.work, threads: hardware.tuning.threads)
      let arithmetic = Roofline(ceilings: ceilings.value).arithmeticSeconds(
        for: plan.work, dtype: plan.arithmeticType)
      return max(traffic, arithmetic)
    }
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
