import KernelSpec
import Support

/// The state of one comparison.
struct PairedMeasurement {
  private typealias Pair = (candidate: TimedSide.Burst, incumbent: TimedSide.Burst)

  private static let burstNanoseconds = 0.5e6
  /// The share of the goal that no pair may reach for a candidate to be out of it, after one pair, two, and so on.
  private static let clearMisses = [0.6, 0.8, 0.9, 0.95]
  /// Copying and comparing more than this takes longer than it is worth for every burst.
  private static let smallBytes = 1 << 20

  private var candidate: TimedSide
  private var incumbent: TimedSide
  private let cases: [VerificationCase]
  private let effort: TimingEffort
  private let goal: Double
  private var random: SeededRandom
  private var pairs: [Pair] = []
  private var disturbed: [Pair] = []
  private var stoppedEarly = false

  init(
    candidate: TimedSide, incumbent: TimedSide, cases: [VerificationCase], effort: TimingEffort,
    goal: Double, random: SeededRandom
  ) {
    self.candidate = candidate
    self.incumbent = incumbent
    self.cases = cases
    self.effort = effort
    self.goal = goal
    self.random = random
  }

  mutating func take(_ gate: MeasurementGate) async throws -> VerificationFailure? {
    // The pilot finds the length of bursts; it is a measurement only of a candidate that it shows to be hopeless.
    let pilot: Pair
    switch try await gate.measure({ try await pair(0, calls: 3) }) {
    case .failure(let failure): return failure
    case .success(let pair): pilot = pair
    }
    if pilot.incumbent.fastest < goal / 4 * pilot.candidate.fastest, !isDisturbed(pilot) {
      pairs = [pilot]
      stoppedEarly = true
      return nil
    }
    let slower = max(pilot.candidate.fastest, pilot.incumbent.fastest, 1)
    let calls = max(2, min(64, Int(Self.burstNanoseconds / slower)))
    let cost = (pilot.candidate.elapsed + pilot.incumbent.elapsed) / 3 * Double(calls + 1)
    let affordable = Int(effort.nanoseconds / max(cost, 1))
    let wanted = min(max(affordable, effort.pairs.lowerBound), effort.pairs.upperBound)
    return try await take(wanted, calls: calls, gate)
  }

  private mutating func take(
    _ wanted: Int, calls: Int, _ gate: MeasurementGate
  ) async throws -> VerificationFailure? {
    var patience = effort.patience
    var pause = Duration.milliseconds(5)
    for attempt in 1...(2 * wanted) where pairs.count < wanted {
      let varied = calls + Int(random.next() % 3)
      switch try await gate.measure({ try await pair(attempt, calls: varied) }) {
      case .failure(let failure): return failure
      case .success(let pair) where isDisturbed(pair):
        disturbed.append(pair)
        guard patience >= pause else { continue }
        // Other work often comes in short pieces: it is cheaper to wait than to measure again at once.
        try await Task.sleep(for: pause)
        patience -= pause
        pause *= 2
      case .success(let pair):
        pairs.append(pair)
        pause = .milliseconds(5)
      }
      if isDecided {
        stoppedEarly = true
        return nil
      }
    }
    return nil
  }

  private func isDisturbed(_ pair: Pair) -> Bool {
    pair.candidate.isDisturbed || pair.incumbent.isDisturbed
  }

  private mutating func pair(
    _ index: Int, calls: Int
  ) async throws -> Result<
    (candidate: TimedSide.Burst, incumbent: TimedSide.Burst), VerificationFailure
  > {
    let isSmall = candidate.bytes <= Self.smallBytes
    let number = (isSmall ? index : index / 4) % cases.count
    let inspects = isSmall || random.next() % 4 == 0
    let first = index.isMultiple(of: 2)
    var incumbentBurst: TimedSide.Burst?
    if !first { incumbentBurst = try await burstOfIncumbent(number, calls, isSmall, inspects) }
    let burst = try await candidate.burst(
      number, cases[number], calls: calls, reloads: isSmall, inspects: inspects)
    guard case .success(let candidateBurst) = burst else {
      return burst.map { (candidate: $0, incumbent: $0) }
    }
    if let incumbentBurst { return .success((candidateBurst, incumbentBurst)) }
    return .success((candidateBurst, try await burstOfIncumbent(number, calls, isSmall, inspects)))
  }

  private mutating func burstOfIncumbent(
    _ number: Int, _ calls: Int, _ reloads: Bool, _ inspects: Bool
  ) async throws -> TimedSide.Burst {
    let burst = try await incumbent.burst(
      number, cases[number], calls: calls, reloads: reloads, inspects: inspects)
    switch burst {
    case .success(let burst): return burst
    case .failure(let failure):
      throw EvaluationError(.referenceFailed, "the incumbent: \(failure.reason)")
    }
  }

  /// Whether all pairs show the candidate to miss the goal, or agree on how fast it is. The fewer there are, the more
  /// it has to miss the goal by.
  private var isDecided: Bool {
    guard effort.stopsWhenDecided, !pairs.isEmpty else { return false }
    let ratios = pairs.map { $0.incumbent.fastest / max($0.candidate.fastest, 1) }.sorted()
    let missed = Self.clearMisses[min(pairs.count, Self.clearMisses.count) - 1]
    if ratios[ratios.count - 1] < missed * goal { return true }
    guard pairs.count >= effort.pairs.lowerBound else { return false }
    let spread = ratios[ratios.count * 3 / 4] - ratios[ratios.count / 4]
    return ratios.count >= 2 * effort.pairs.lowerBound && spread < 0.01 * ratios.median
  }

  /// The pairs that count: the undisturbed ones, if these are enough.
  private var counted: [(candidate: TimedSide.Burst, incumbent: TimedSide.Burst)] {
    stoppedEarly || pairs.count >= effort.pairs.lowerBound ? pairs : pairs + disturbed
  }

  func timing(seed: UInt64) -> PairedTiming {
    PairedTiming(
      candidateNanoseconds: counted.map(\.candidate.fastest),
      incumbentNanoseconds: counted.map(\.incumbent.fastest), stoppedEarly: stoppedEarly,
      disturbedPairs: disturbed.count, isQuiet: counted.count == pairs.count, seed: seed)
  }

  /// Refuses times that cannot be true.
  ///
  /// The runner's overhead is the same for both kernels, so what the parent saw beyond the claimed
  /// time may not be much more for the candidate than for the incumbent.
  func objection(floorNanoseconds: Double) -> VerificationFailure? {
    let time = counted.map(\.candidate.fastest).median
    if time < floorNanoseconds {
      return .init(
        kind: .incorrect,
        reason: "\(Int(time)) ns is less than the \(Int(floorNanoseconds)) ns the hardware allows")
    }
    // The least of each, since other work can only add to them.
    let unclaimed = counted.map(\.candidate.unclaimed).min() ?? 0
    let allowed = counted.map(\.incumbent.unclaimed).min() ?? 0
    let elapsed = counted.map(\.candidate.elapsed).min() ?? 0
    if unclaimed > 2 * allowed + 0.1 * elapsed + 0.2e6 {
      return .init(kind: .run, reason: "the claimed times are shorter than what was observed")
    }
    return nil
  }
}
