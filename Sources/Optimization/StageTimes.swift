import Synchronization

/// Where the time of making and judging kernels goes, for benchmarks and for people who ask why a search is slow.
///
/// Stages run side by side, so their sum may exceed the time that passed.
package final class StageTimes: Sendable {
  package enum Stage: String, Sendable, CaseIterable {
    /// Choosing schedules, and learning what they cost.
    case propose
    /// Schedule to text, and text to artifact.
    case compile
    /// Inputs, and what must come out.
    case reference
    /// Starting a runner, and calls whose results are compared.
    case verify
    /// Paired calls.
    case timing
    /// Writing to the store.
    case record
  }

  private let seconds = Mutex<[Stage: Double]>([:])

  package init() {}

  /// Seconds so far, by stage.
  package var totals: [Stage: Double] { seconds.withLock { $0 } }

  func add(_ seconds: Double, to stage: Stage) {
    self.seconds.withLock { $0[stage, default: 0] += seconds }
  }

  /// Runs `work` and adds what it took.
  func measure<Value, Failure: Error>(
    _ stage: Stage, isolation: isolated (any Actor)? = #isolation,
    _ work: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let start = ContinuousClock.now
    defer {
      let (seconds, attoseconds) = (ContinuousClock.now - start).components
      add(Double(seconds) + Double(attoseconds) * 1e-18, to: stage)
    }
    return try await work()
  }
}
