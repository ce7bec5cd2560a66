import Glibc
import Synchronization

/// The clocks that a module may read, so that tests can set them.
package protocol TimeSource: Sendable {
  /// Seconds since 1970, which may jump.
  var wallSeconds: Double { get }
  /// Seconds since some fixed moment, which never go back.
  var monotonicSeconds: Double { get }
}

/// The clocks of the operating system.
package struct SystemTime: TimeSource {
  package init() {}
  package var wallSeconds: Double { Self.read(CLOCK_REALTIME) }
  package var monotonicSeconds: Double { Self.read(CLOCK_MONOTONIC) }

  private static func read(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// Clocks that move only when told to.
package final class ManualTime: TimeSource {
  private let now: Mutex<Double>

  package init(seconds: Double = 1_700_000_000) { now = Mutex(seconds) }
  package var wallSeconds: Double { now.withLock { $0 } }
  package var monotonicSeconds: Double { now.withLock { $0 } }
  package func advance(seconds: Double) { now.withLock { $0 += seconds } }
}
