/// Decides whether a tier that failed is asked again.
///
/// After some failures in a row the tier steps aside. When the delay is over one call tries it: success brings
/// it back, failure doubles the delay up to a limit.
struct Breaker: Sendable, Hashable {
  static let failuresUntilAside = 3
  static let firstDelaySeconds = 5.0
  static let longestDelaySeconds = 300.0

  private var failures = 0
  private var delaySeconds = Self.firstDelaySeconds
  private var asideUntil: Double?
  private var isTrying = false

  /// Whether a call may be made at this time. A call that tries the tier keeps others away for one more delay.
  mutating func admits(at seconds: Double) -> Bool {
    guard let end = asideUntil else { return true }
    guard seconds >= end else { return false }
    asideUntil = seconds + delaySeconds
    isTrying = true
    return true
  }

  mutating func succeeded() { self = Breaker() }

  mutating func failed(at seconds: Double) {
    // Calls made before the tier stepped aside may fail after it, and say nothing new.
    if asideUntil != nil, !isTrying { return }
    failures += 1
    guard failures >= Self.failuresUntilAside else { return }
    if isTrying { delaySeconds = min(2 * delaySeconds, Self.longestDelaySeconds) }
    isTrying = false
    asideUntil = seconds + delaySeconds
  }
}
