package import KernelSpec
import RunnerProtocol
import Support

package enum TimingOutcome: Sendable, Hashable {
  case measured(PairedTiming)
  /// It failed while it was timed, or its times cannot be true.
  case failed(VerificationFailure)
}

/// Measures a candidate against an incumbent, each in a process of its own, in turns.
///
/// Order is A B B A, so that a drift of the clock rate falls on both alike. Caches are warm: each
/// burst repeats one call on inputs that are fresh for the burst, outputs and workspace are
/// poisoned before every call, and the first call of a burst does not count. The outputs of the
/// last call are checked.
package struct PairedTimer: Sendable {
  private let runner: any KernelRunner
  private let numerics: NumericPolicy
  private let threads: Int
  private let limits: RunnerLimits
  private let seed: UInt64

  /// - Parameter seed: of burst lengths and of the resampling.
  package init(
    runner: any KernelRunner, numerics: NumericPolicy, threads: Int,
    limits: RunnerLimits = RunnerLimits(), seed: UInt64
  ) {
    self.runner = runner
    self.numerics = numerics
    self.threads = threads
    self.limits = limits
    self.seed = seed
  }

  /// Takes about 80 ms for small kernels and a second for large ones; less for a clear loser.
  ///
  /// - Parameters:
  ///   - cases: two or three with finite values; bursts go round them.
  ///   - floorNanoseconds: the time that the hardware's ceilings allow at best; a lower one is
  ///     refused.
  /// - Throws: `EvaluationError` when the machine cannot measure; `.referenceFailed` for an
  ///   incumbent that fails.
  package func compare(
    candidate: Artifact, incumbent: Artifact, cases: [VerificationCase], floorNanoseconds: Double
  ) async throws -> TimingOutcome {
    guard !cases.isEmpty else {
      throw EvaluationError(.referenceFailed, "there are no inputs to measure with")
    }
    let reference = try await runner.open(incumbent, threads: threads, limits: limits)
    let session: any KernelSession
    do {
      session = try await runner.open(candidate, threads: threads, limits: limits)
    } catch let error as KernelLoadError {
      await reference.close()
      return .failed(.init(kind: .run, reason: error.reason))
    }
    var measurement = Measurement(
      candidate: Side(session, candidate, numerics),
      incumbent: Side(reference, incumbent, numerics),
      cases: cases, random: SeededRandom(seed: seed))
    let failure = try await measurement.take()
    await session.close()
    await reference.close()
    return .init(
      measurement, failure ?? measurement.objection(floorNanoseconds: floorNanoseconds), seed: seed)
  }
}

extension TimingOutcome {
  fileprivate init(_ measurement: Measurement, _ failure: VerificationFailure?, seed: UInt64) {
    if let failure {
      self = .failed(failure)
    } else {
      self = .measured(
        PairedTiming(
          candidateNanoseconds: measurement.candidate.samples,
          incumbentNanoseconds: measurement.incumbent.samples,
          stoppedEarly: measurement.stoppedEarly, seed: seed))
    }
  }
}

/// One of the two kernels, with what was seen of it.
private struct Side {
  let session: any KernelSession
  let check: OutputCheck
  var samples: [Double] = []
  /// For each burst, what the parent saw beyond the times that the runner claimed.
  var unclaimed: [Double] = []
  var elapsed: [Double] = []
  /// The outputs that were found right, for each case.
  private var accepted: [Int: [[UInt8]]] = [:]

  init(_ session: any KernelSession, _ artifact: Artifact, _ numerics: NumericPolicy) {
    self.session = session
    check = OutputCheck(interface: artifact.manifest.interface, numerics: numerics)
  }

  /// - Returns: what went wrong, or `nil`.
  mutating func burst(_ number: Int, _ test: VerificationCase, calls: Int) async throws
    -> VerificationFailure?
  {
    let result = try await session.time(inputs: test.inputs, calls: calls, flushCache: false)
    if let reason = result.status.failure { return .init(kind: .run, reason: reason) }
    if !result.inputsUnchanged { return .init(kind: .run, reason: "the kernel changed its inputs") }
    if let accepted = accepted[number] {
      guard accepted == result.outputs else {
        return .init(kind: .incorrect, reason: "while timed: the result does not repeat")
      }
    } else {
      if let mismatch = check.judge(result.outputs, test).mismatch {
        return .init(kind: .incorrect, reason: "while timed: \(mismatch)")
      }
      accepted[number] = result.outputs
    }
    samples.append(Array(result.nanoseconds.dropFirst(calls > 1 ? 1 : 0)).median)
    elapsed.append(result.parentNanoseconds)
    unclaimed.append(result.parentNanoseconds - result.nanoseconds.reduce(0, +))
    return nil
  }

  mutating func forget() {
    samples = []
    elapsed = []
    unclaimed = []
  }
}

/// The state of one comparison.
private struct Measurement {
  private static let smallBudget = 40e6
  private static let largeBudget = 800e6
  private static let burstNanoseconds = 0.5e6

  var candidate: Side
  var incumbent: Side
  let cases: [VerificationCase]
  var random: SeededRandom
  private(set) var stoppedEarly = false

  init(candidate: Side, incumbent: Side, cases: [VerificationCase], random: SeededRandom) {
    self.candidate = candidate
    self.incumbent = incumbent
    self.cases = cases
    self.random = random
  }

  mutating func take() async throws -> VerificationFailure? {
    // The pilot finds the length of bursts and is not a measurement.
    if let failure = try await pair(0, calls: 3) { return failure }
    let slower = max(candidate.samples[0], incumbent.samples[0])
    let cost = candidate.elapsed[0] + incumbent.elapsed[0]
    candidate.forget()
    incumbent.forget()
    let calls = max(2, min(64, Int(Self.burstNanoseconds / max(slower, 1))))
    let pairCost = cost / 3 * Double(calls)
    let budget = min(Self.largeBudget, max(Self.smallBudget, 20 * pairCost))
    let pairs = max(5, min(24, Int(budget / max(pairCost, 1))))
    for index in 0..<pairs {
      let varied = calls + Int(random.next() % 3)
      if let failure = try await pair(index + 1, calls: varied) { return failure }
      if isClearLoser {
        stoppedEarly = true
        break
      }
    }
    return nil
  }

  private mutating func pair(_ index: Int, calls: Int) async throws -> VerificationFailure? {
    let number = index % cases.count
    if index.isMultiple(of: 2) {
      if let failure = try await candidate.burst(number, cases[number], calls: calls) {
        return failure
      }
      try await burstOfIncumbent(number, calls: calls)
      return nil
    }
    try await burstOfIncumbent(number, calls: calls)
    return try await candidate.burst(number, cases[number], calls: calls)
  }

  private mutating func burstOfIncumbent(_ number: Int, calls: Int) async throws {
    if let failure = try await incumbent.burst(number, cases[number], calls: calls) {
      throw EvaluationError(.referenceFailed, "the incumbent: \(failure.reason)")
    }
  }

  private var isClearLoser: Bool {
    let ratios = zip(incumbent.samples, candidate.samples).map { $0 / max($1, 1) }
    return ratios.count >= 4 && ratios.allSatisfy { $0 < 0.8 }
  }

  /// Refuses times that cannot be true.
  ///
  /// The runner's overhead is the same for both kernels, so what the parent saw beyond the claimed
  /// time may not be much more for the candidate than for the incumbent.
  func objection(floorNanoseconds: Double) -> VerificationFailure? {
    let time = candidate.samples.median
    if time < floorNanoseconds {
      return .init(
        kind: .incorrect,
        reason: "\(Int(time)) ns is less than the \(Int(floorNanoseconds)) ns the hardware allows")
    }
    let allowance = 2 * incumbent.unclaimed.median + 0.1 * candidate.elapsed.median + 0.2e6
    if candidate.unclaimed.median > allowance {
      return .init(kind: .run, reason: "the claimed times are shorter than what was observed")
    }
    return nil
  }
}
