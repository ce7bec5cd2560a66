import Glibc

/// A point in time after which a test gives up.
struct TestDeadline {
  private let end: ContinuousClock.Instant

  init(seconds: Double) { end = .now + .seconds(seconds) }

  var hasPassed: Bool { ContinuousClock.now >= end }

  /// What is left, for `poll`.
  var milliseconds: Int32 {
    let left = ContinuousClock.now.duration(to: end) / Duration.milliseconds(1)
    return Int32(max(0, min(left.rounded(.up), 1e6)))
  }
}

/// Asks again and again until `condition` holds, for what an outside process does without telling.
///
/// - Returns: whether it held in time.
func eventually(within seconds: Double, _ condition: () throws -> Bool) rethrows -> Bool {
  let deadline = TestDeadline(seconds: seconds)
  while !deadline.hasPassed {
    if try condition() { return true }
    poll(nil, 0, 5)
  }
  return false
}
