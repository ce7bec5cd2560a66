import Evaluation
import KernelSpec
import RunnerProtocol
import Testing

@Suite(.serialized) struct PairedTimerTests {
  private let slowBody =
    "for (int r = 0; r < 8; r++) { __asm__ volatile(\"\" : : : \"memory\"); "
    + Bench.honestBody + " }"

  private func outcome(
    _ candidate: KernelSource, against incumbent: KernelSource, floor: Double = 0,
    effort: TimingEffort = .confirmation
  ) async throws -> TimingOutcome {
    let bench = try await Bench()
    let reference = try await bench.reference()
    return try await compare(
      bench.runner, try await bench.compile(candidate), try await bench.compile(incumbent),
      Array(reference.cases.prefix(3)), floor: floor, effort: effort)
  }

  /// Loads both kernels and compares them.
  private func compare(
    _ runner: any KernelRunner, _ candidate: Artifact, _ incumbent: Artifact,
    _ cases: [VerificationCase], floor: Double = 0, effort: TimingEffort = .exploration
  ) async throws -> TimingOutcome {
    let candidateSession = try await runner.open(candidate, threads: 1, limits: RunnerLimits())
    let incumbentSession = try await runner.open(incumbent, threads: 1, limits: RunnerLimits())
    let outcome = try await PairedTimer(numerics: NumericPolicy(), seed: 3).compare(
      candidate: LoadedKernel(
        session: candidateSession, interface: candidate.manifest.interface),
      incumbent: LoadedKernel(
        session: incumbentSession, interface: incumbent.manifest.interface),
      cases: cases, floorNanoseconds: floor, effort: effort)
    await candidateSession.close()
    await incumbentSession.close()
    return outcome
  }

  @Test("a kernel with an eighth of the work is found faster")
  func faster() async throws {
    let result = try await outcome(
      Bench.source(Bench.honestBody), against: Bench.source(slowBody))
    guard case .measured(let timing) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(timing.speedup > 1.5)
    #expect(timing.speedupLowerBound > 1)
    #expect(timing.speedupLowerBound <= timing.speedup)
    #expect(timing.candidateNanoseconds.count == timing.incumbentNanoseconds.count)
  }

  @Test("a clear loser is measured only briefly")
  func loser() async throws {
    let result = try await outcome(
      Bench.source(slowBody), against: Bench.source(Bench.honestBody), effort: .exploration)
    guard case .measured(let timing) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(timing.speedup < 1)
    // Nothing is clear while other work disturbs most pairs.
    #expect(timing.stoppedEarly || !timing.isQuiet)
  }

  @Test("a time below what the hardware allows is refused")
  func floor() async throws {
    let result = try await outcome(
      Bench.source(Bench.honestBody), against: Bench.source(Bench.honestBody), floor: 1e9)
    guard case .failed(let failure) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(failure.reason.contains("hardware allows"))
  }

  @Test("a kernel that does nothing while it is timed is refused")
  func lazy() async throws {
    let result = try await outcome(
      Bench.source("if (y[0] == y[0]) { " + Bench.honestBody + " }"),
      against: Bench.source(Bench.honestBody))
    guard case .failed(let failure) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(failure.kind == .incorrect)
  }

  @Test("the same samples give the same bound")
  func bound() {
    let candidate = (0..<12).map { 100 + Double($0 % 5) }
    let incumbent = (0..<12).map { 150 + Double($0 % 3) }
    let timings = (0..<2).map { _ in
      PairedTiming(
        candidateNanoseconds: candidate, incumbentNanoseconds: incumbent, stoppedEarly: false,
        seed: 9)
    }
    #expect(timings[0] == timings[1])
    #expect(timings[0].speedup > 1.4 && timings[0].speedup < 1.6)
  }

  @Test("times shorter than what the parent observed are refused")
  func forged() async throws {
    let bench = try await Bench()
    let reference = try await bench.reference()
    let candidate = try await bench.compile(
      Bench.source("for (int r = 0; r < 3000; r++) { " + slowBody + " }"))
    let incumbent = try await bench.compile(
      Bench.source("for (int r = 0; r < 2999; r++) { " + slowBody + " }"))
    let runner = ForgingRunner(runner: bench.runner, victim: candidate.manifest.digest)
    let result = try await compare(
      runner, candidate, incumbent, Array(reference.cases.prefix(2)))
    guard case .failed(let failure) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(failure.reason.contains("observed"))
  }
}

/// Stands for a kernel that took over its runner: it claims a hundredth of its time.
private struct ForgingRunner: KernelRunner {
  let runner: NativeRunner
  let victim: Digest

  func open(_ artifact: Artifact, threads: Int, limits: RunnerLimits) async throws
    -> any KernelSession
  {
    let session = try await runner.open(artifact, threads: threads, limits: limits)
    return artifact.manifest.digest == victim ? ForgingSession(session: session) : session
  }
}

private struct ForgingSession: KernelSession {
  let session: any KernelSession

  var sandbox: SandboxReport { get async { await session.sandbox } }

  func run(inputs: [[UInt8]], guards: GuardPlacement) async throws -> RunResult {
    try await session.run(inputs: inputs, guards: guards)
  }

  var isAlive: Bool { get async { await session.isAlive } }

  func time(inputs: [[UInt8]]?, calls: Int, inspects: Bool) async throws -> TimedResult {
    var result = try await session.time(inputs: inputs, calls: calls, inspects: inspects)
    result.nanoseconds = result.nanoseconds.map { $0 / 100 }
    return result
  }

  func close() async { await session.close() }
}
