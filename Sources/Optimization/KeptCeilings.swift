package import Hardware
import Synchronization

/// The hardware's measured ceilings, read or measured when they are first needed.
///
/// Measuring takes all cores for a second or two, so a daemon that only serves hits never does.
package final class KeptCeilings: Sendable {
  private let file: CeilingsFile
  private let hardware: HardwareDescription
  private let known = Mutex<Ceilings?>(nil)

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

  /// What was measured before, without measuring.
  package var kept: Ceilings? {
    known.withLock { $0 } ?? file.ceilings(for: hardware.tuning)
  }

  /// Measures anew, now.
  package func measureAgain() -> Ceilings {
    known.withLock { known in
      let ceilings = measured()
      known = ceilings
      return ceilings
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
