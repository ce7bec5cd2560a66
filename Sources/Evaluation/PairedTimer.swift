package import KernelSpec
import RunnerProtocol
import Support

package enum TimingOutcome: Sendable, Hashable {
  case measured(PairedTiming)
  /// It failed while it was timed, or its times cannot be true.
  case failed(VerificationFailure)
}

/// A kernel that is loaded and ready to be called.
package struct LoadedKernel: Sendable {
  package let session: any KernelSession
  package let interface: KernelInterface

  package init(session: any KernelSession, interface: KernelInterface) {
    self.session = session
    self.interface = interface
  }
}

/// How much is spent on one comparison.
package struct TimingEffort: Sendable, Hashable {
  /// Undisturbed pairs of bursts.
  package var pairs: ClosedRange<Int>
  /// Beyond this time no more than the fewest pairs are taken.
  package var nanoseconds: Double
  /// Whether to stop as soon as it is clear that the candidate is slower than the goal, or how fast it is.
  package var stopsWhenDecided: Bool
  /// How long to wait, as a whole, for other work on the machine to end.
  package var patience: Duration

  /// For a candidate among many.
  package static let exploration = TimingEffort(
    pairs: 4...16, nanoseconds: 60e6, stopsWhenDecided: true, patience: .milliseconds(100))
  /// Before a kernel replaces another.
  package static let confirmation = TimingEffort(
    pairs: 10...40, nanoseconds: 500e6, stopsWhenDecided: false, patience: .seconds(4))
}

/// Measures a candidate against an incumbent, each in a process of its own, in turns.
///
/// Order is A B B A, so that a drift of the clock rate falls on both alike. Caches are warm: each burst repeats
/// one call, outputs and workspace are poisoned before every call, and the first call of a burst does not
/// count. A burst counts as its fastest call, since what disturbs a call can only make it slower. A pair of
/// bursts is taken again when other work kept the kernels' threads from running meanwhile. Outputs are checked
/// on every burst, or for large ones on bursts that the kernel cannot tell from others.
package struct PairedTimer: Sendable {
  private let numerics: NumericPolicy
  private let gate: MeasurementGate
  private let seed: UInt64

  /// - Parameters:
  ///   - gate: keeps other work of this process away.
  ///   - seed: of burst lengths and of the resampling; secret, so that no kernel can know when it is looked at.
  package init(
    numerics: NumericPolicy, gate: MeasurementGate = MeasurementGate(), seed: UInt64
  ) {
    self.numerics = numerics
    self.gate = gate
    self.seed = seed
  }

  /// - Parameters:
  ///   - cases: two or three with finite values; bursts go round them.
  ///   - floorNanoseconds: the time that the hardware's ceilings allow at best; a lower one is refused.
  ///   - goal: the ratio of the incumbent's to the candidate's time from which on the candidate matters.
  /// - Throws: `EvaluationError` when the machine cannot measure; `.referenceFailed` for an
  ///   incumbent that fails.
  package func compare(
    candidate: LoadedKernel, incumbent: LoadedKernel, cases: [VerificationCase],
    floorNanoseconds: Double, effort: TimingEffort = .exploration, goal: Double = 1
  ) async throws -> TimingOutcome {
    guard !cases.isEmpty else {
      throw EvaluationError(.referenceFailed, "there are no inputs to measure with")
    }
    var measurement = PairedMeasurement(
      candidate: TimedSide(candidate, numerics), incumbent: TimedSide(incumbent, numerics),
      cases: cases, effort: effort, goal: goal, random: SeededRandom(seed: seed))
    let failure = try await measurement.take(gate)
    if let failure = failure ?? measurement.objection(floorNanoseconds: floorNanoseconds) {
      return .failed(failure)
    }
    return .measured(measurement.timing(seed: seed))
  }
}
