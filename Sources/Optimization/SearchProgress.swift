package import KernelSpec

/// How far a search has come.
package struct SearchProgress: Sendable, Hashable {
  package enum State: String, Sendable { case queued, running, finished }

  package var key: Digest
  package var state: State
  package var elapsedSeconds: Double
  package var secondsLeft: Double
  package var candidates: Int
  /// The best fitness so far: the speedup over the baseline.
  package var bestSpeedup: Double?
  package var bestNanoseconds: Double?
  package var baselineNanoseconds: Double?
  package var rooflineFraction: Double?
  /// Why the search ended, in the last report.
  package var termination: String?

  package init(
    key: Digest, state: State, elapsedSeconds: Double = 0, secondsLeft: Double = 0,
    candidates: Int = 0
  ) {
    self.key = key
    self.state = state
    self.elapsedSeconds = elapsedSeconds
    self.secondsLeft = secondsLeft
    self.candidates = candidates
  }
}
