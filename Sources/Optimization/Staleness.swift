package import CacheStore
import Evaluation
import Hardware
package import KernelSpec
import Support

/// Why an entry is not what would be made today. None of these makes a kernel wrong.
package enum StaleReason: String, Sendable, Hashable, CaseIterable {
  /// The code generator has changed since.
  case generator
  /// The compiler, or what it is asked for, has changed since.
  case compiler
  /// The driver of the device has changed since.
  case driver
  /// The processor's microcode has changed since.
  case microcode
  /// The operating system's kernel has changed since.
  case kernel
  /// It was made for hardware that this machine does not have.
  case hardware
  /// Nobody has asked for it for long.
  case unused
  /// Its evidence failed when it was repeated; it is not served.
  case evidence
  /// What searches know has grown since its search.
  case knowledge

  package var explanation: String {
    switch self {
    case .generator: "the code generator has changed since it was made"
    case .compiler: "another compiler made it"
    case .driver: "the driver of the device has changed since it was measured"
    case .microcode: "the microcode has changed since it was measured"
    case .kernel: "the operating system's kernel has changed since it was measured"
    case .hardware: "it was made for hardware that this machine does not have"
    case .unused: "nobody has asked for it for long"
    case .evidence: "its evidence failed when it was repeated, so it is not served"
    case .knowledge: "what searches know has grown since its search"
    }
  }
}

/// What staleness is judged by.
package struct StaleCriteria: Sendable {
  /// What would be recorded today.
  package var provenance: Evidence.Provenance
  package var compiler: String
  package var hardware: String
  package var unusedSeconds: Double
  package var now: Double

  package init(
    provenance: Evidence.Provenance, compiler: String, hardware: String, unusedSeconds: Double,
    now: Double
  ) {
    self.provenance = provenance
    self.compiler = compiler
    self.hardware = hardware
    self.unusedSeconds = unusedSeconds
    self.now = now
  }

  /// Why an entry is stale; empty for one that is not. Reasons about this machine are not given for what was made
  /// for another.
  package func reasons(for facts: EntryFacts) -> [StaleReason] {
    var reasons: [StaleReason] = []
    let isHere = facts.hardware == hardware
    if isHere {
      if facts.provenance?.generator != provenance.generator { reasons.append(.generator) }
      if !facts.toolchain.hasPrefix(compiler) { reasons.append(.compiler) }
      if let recorded = facts.provenance {
        if recorded.driver != provenance.driver { reasons.append(.driver) }
        if recorded.microcode != provenance.microcode { reasons.append(.microcode) }
        if recorded.kernel != provenance.kernel { reasons.append(.kernel) }
        if facts.isSearched, recorded.knowledge != provenance.knowledge {
          reasons.append(.knowledge)
        }
      }
    } else {
      reasons.append(.hardware)
    }
    if now - facts.lastUsed > unusedSeconds { reasons.append(.unused) }
    if facts.isWithdrawn { reasons.append(.evidence) }
    return reasons
  }
}

/// An entry that is not what would be made today.
package struct StaleEntry: Sendable, Hashable {
  package var facts: EntryFacts
  package var reasons: [StaleReason]
}

extension KernelLibrary {
  /// How long an entry may go unused before it is called stale, unless a collection says otherwise.
  package static let staleAfterSeconds = 90 * 86_400.0

  /// The entries that are stale, last used first.
  ///
  /// - Parameter reasons: those that count; without them, all.
  package func staleEntries(
    _ reasons: Set<StaleReason> = [], unusedSeconds: Double = KernelLibrary.staleAfterSeconds
  ) throws -> [StaleEntry] {
    let criteria = StaleCriteria(
      provenance: workshop.provenance, compiler: workshop.compiler.identity,
      hardware: workshop.hardware.tuning.canonicalText, unusedSeconds: unusedSeconds,
      now: time.wallSeconds)
    return try store.facts().compactMap { facts in
      let found = criteria.reasons(for: facts)
      let counting = reasons.isEmpty ? found : found.filter(reasons.contains)
      return counting.isEmpty ? nil : StaleEntry(facts: facts, reasons: found)
    }
  }
}
