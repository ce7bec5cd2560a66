import KernelSpec
import RunnerProtocol
import Synchronization
import Testing

@testable import Evaluation

@Suite struct DisturbanceTests {
  private static let interface = KernelInterface(
    entryPoint: "k", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
    alignmentBytes: 64)

  /// Compares two kernels whose calls take what `times` says.
  private func timing(
    candidate: ScriptedSession, incumbent: ScriptedSession,
    effort: TimingEffort = TimingEffort(
      pairs: 6...12, nanoseconds: 1e12, stopsWhenDecided: false, patience: .zero)
  ) async throws -> PairedTiming {
    let outcome = try await PairedTimer(numerics: NumericPolicy(), seed: 5).compare(
      candidate: LoadedKernel(session: candidate, interface: Self.interface),
      incumbent: LoadedKernel(session: incumbent, interface: Self.interface),
      cases: [VerificationCase(distribution: .normal, seed: 1, inputs: [], expected: [])],
      floorNanoseconds: 0, effort: effort)
    guard case .measured(let timing) = outcome else {
      throw EvaluationError(.referenceFailed, "\(outcome)")
    }
    return timing
  }

  @Test("pairs that other work disturbed are taken again and do not count")
  func repeated() async throws {
    // Every third burst of the incumbent is slowed tenfold while its threads wait.
    let incumbent = ScriptedSession { $0 % 3 == 2 ? (1000e3, waited: 900e3) : (100e3, waited: 0) }
    let timing = try await timing(
      candidate: ScriptedSession { _ in (100e3, waited: 0) }, incumbent: incumbent)
    #expect(timing.speedup == 1)
    #expect(timing.speedupLowerBound == 1)
    #expect(timing.disturbedPairs > 0)
    #expect(timing.isQuiet)
    #expect(timing.candidateNanoseconds.count == 12)
  }

  @Test("where other work never ends, disturbed pairs count and the result says so")
  func neverQuiet() async throws {
    let timing = try await timing(
      candidate: ScriptedSession { _ in (200e3, waited: 500e3) },
      incumbent: ScriptedSession { _ in (400e3, waited: 500e3) })
    #expect(timing.speedup == 2)
    #expect(!timing.isQuiet)
  }

  @Test("what disturbs single calls of a burst does not count")
  func fastestCalls() async throws {
    let timing = try await timing(
      candidate: ScriptedSession(slowCalls: true) { _ in (100e3, waited: 0) },
      incumbent: ScriptedSession { _ in (100e3, waited: 0) })
    #expect(timing.speedup == 1)
  }

  @Test("a hopeless candidate is measured once")
  func hopeless() async throws {
    let candidate = ScriptedSession { _ in (900e3, waited: 0) }
    let timing = try await timing(
      candidate: candidate, incumbent: ScriptedSession { _ in (100e3, waited: 0) })
    #expect(timing.stoppedEarly)
    #expect(candidate.bursts == 1)
  }

  @Test(
    "exploration ends the sooner the further all pairs miss the goal",
    arguments: [(nanoseconds: 170e3, pairs: 1), (140e3, 2), (120e3, 3), (107e3, 4)])
  func loser(nanoseconds: Double, pairs: Int) async throws {
    let candidate = ScriptedSession { _ in (nanoseconds, waited: 0) }
    let timing = try await timing(
      candidate: candidate, incumbent: ScriptedSession { _ in (100e3, waited: 0) },
      effort: .exploration)
    #expect(timing.stoppedEarly)
    #expect(candidate.bursts == 1 + pairs)
  }

  @Test("no measurement runs beside other work")
  func gate() async {
    let gate = MeasurementGate()
    let occupancy = Occupancy()
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<200 {
        group.addTask {
          if index.isMultiple(of: 3) {
            await gate.measure {
              occupancy.enter(measures: true)
              await Task.yield()
              occupancy.leave(measures: true)
            }
          } else {
            await gate.work {
              occupancy.enter(measures: false)
              await Task.yield()
              occupancy.leave(measures: false)
            }
          }
        }
      }
    }
    #expect(!occupancy.hasClashed)
  }
}

/// Counts what runs at one time.
private final class Occupancy: Sendable {
  private let state = Mutex((work: 0, measurements: 0, hasClashed: false))

  var hasClashed: Bool { state.withLock { $0.hasClashed } }

  func enter(measures: Bool) {
    state.withLock { state in
      if measures { state.measurements += 1 } else { state.work += 1 }
      if state.measurements > 0, state.measurements + state.work > 1 { state.hasClashed = true }
    }
  }

  func leave(measures: Bool) {
    state.withLock { state in
      if measures { state.measurements -= 1 } else { state.work -= 1 }
    }
  }
}

/// A process whose bursts take what a script says.
private final class ScriptedSession: KernelSession {
  private let script: @Sendable (Int) -> (nanoseconds: Double, waited: Double)
  private let slowCalls: Bool
  private let count = Mutex(0)

  init(
    slowCalls: Bool = false,
    _ script: @escaping @Sendable (Int) -> (nanoseconds: Double, waited: Double)
  ) {
    self.slowCalls = slowCalls
    self.script = script
  }

  var bursts: Int { count.withLock { $0 } }
  var sandbox: SandboxReport { SandboxReport() }
  var isAlive: Bool { true }

  func run(inputs: [[UInt8]], guards: GuardPlacement) -> RunResult {
    RunResult(
      status: .finished, outputs: [], runnerNanoseconds: 0, parentNanoseconds: 0,
      inputsUnchanged: true)
  }

  func time(inputs: [[UInt8]]?, calls: Int, inspects: Bool) -> TimedResult {
    let burst = count.withLock { count in
      defer { count += 1 }
      return count
    }
    let (nanoseconds, waited) = script(burst)
    let times = (0..<calls).map { slowCalls && $0 % 2 == 1 ? nanoseconds * 9 : nanoseconds }
    return TimedResult(
      status: .finished, nanoseconds: times, parentNanoseconds: times.reduce(0, +) + 10e3,
      outputs: [], inputsUnchanged: true, waitedNanoseconds: waited)
  }

  func close() {}
}
