package import Hardware
import Synchronization

/// The hardware's measured ceilings, read or measured when they are first needed.
///
/// Measuring takes all cores for a second or two, so a daemon that only serves hits never does.
package final class KeptCeilings: Sendable {
  private let file: CeilingsFile
  private let hardware: HardwareDescription
  private let known = Mutex<Ceilings?>(nil)
  private let repetitions = Atomic(0)
  /// A machine that is still too busy after so many measurements will be for longer.
  private static let mostRepetitions = 3

  package init(file: CeilingsFile, hardware: HardwareDescription) {
    self.file = file
    self.hardware = hardware
  }

  /// The ceilings; blocks while they are measured.
  package var value: Ceilings {
    known.withLock { known in
      if let known { return known }
      let ceilings = file.ceilings(for: hardware.tuning) ?? measured()
      known = ceilings
      return ceilings
    }
  }

  /// Measures again because a right kernel was faster than the ceilings allow: they were taken on a busy
  /// machine. The higher of both measurements is kept. Does nothing when called often.
  package func measureAgain() {
    guard repetitions.add(1, ordering: .relaxed).oldValue < Self.mostRepetitions else { return }
    known.withLock { known in
      let again = measured().raised(to: known)
      known = again
      try? file.keep(again, for: hardware.tuning)
    }
  }

  private func measured() -> Ceilings {
    let ceilings = CeilingsMeasurement.measure(
      threads: hardware.tuning.threads, cacheBytes: hardware.tuning.cacheBytes)
    // A file that cannot be written costs a measurement at the next start, nothing else.
    try? file.keep(ceilings, for: hardware.tuning)
    return ceilings
  }
}

extension Ceilings {
  /// The higher of each rate.
  fileprivate func raised(to other: Ceilings?) -> Ceilings {
    guard let other else { return self }
    return Ceilings(
      operationsPerSecond: operationsPerSecond.merging(
        other.operationsPerSecond, uniquingKeysWith: max),
      read: read.raised(to: other.read), write: write.raised(to: other.write),
      copy: copy.raised(to: other.copy))
  }
}
