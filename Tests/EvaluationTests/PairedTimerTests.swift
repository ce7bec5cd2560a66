import Evaluation
import KernelSpec
import RunnerProtocol
import Testing

@Suite(.serialized) struct PairedTimerTests {
  private let slowBody =
    "for (int r = 0; r < 8; r++) { __asm__ volatile(\"\" : : : \"memory\"); "
    + Bench.honestBody + " }"

  private func outcome(
    _ candidate: KernelSource, against incumbent: KernelSource, floor: Double = 0
  ) async throws -> TimingOutcome {
    let bench = try await Bench()
    let reference = try await bench.reference()
    let timer = PairedTimer(runner: bench.runner, numerics: NumericPolicy(), threads: 1, seed: 3)
    return try await timer.compare(
      candidate: try await bench.compile(candidate), incumbent: try await bench.compile(incumbent),
      cases: Array(reference.cases.prefix(3)), floorNanoseconds: floor)
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
      Bench.source(slowBody), against: Bench.source(Bench.honestBody))
    guard case .measured(let timing) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(timing.speedup < 1)
    #expect(timing.stoppedEarly)
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
    let timer = PairedTimer(runner: runner, numerics: NumericPolicy(), threads: 1, seed: 3)
    let result = try await timer.compare(
      candidate: candidate, incumbent: incumbent, cases: Array(reference.cases.prefix(2)),
      floorNanoseconds: 0)
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

  func time(inputs: [[UInt8]]?, calls: Int, flushCache: Bool) async throws -> TimedResult {
    var result = try await session.time(inputs: inputs, calls: calls, flushCache: flushCache)
    result.nanoseconds = result.nanoseconds.map { $0 / 100 }
    return result
  }

  func close() async { await session.close() }
}
