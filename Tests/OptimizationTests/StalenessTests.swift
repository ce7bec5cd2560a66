import CacheStore
import KernelSpec
import Testing

@testable import Optimization

@Suite("Staleness") struct StalenessTests {
  private let today = Evidence.Provenance(
    generator: "g2", knowledge: "k2", kernel: "6.1", microcode: "0x2", driver: nil)

  private var criteria: StaleCriteria {
    StaleCriteria(
      provenance: today, compiler: "clang 14", hardware: "here", unusedSeconds: 100, now: 1000)
  }

  private func facts(_ change: (inout EntryFacts) -> Void = { _ in }) -> EntryFacts {
    var facts = EntryFacts(
      key: Digest(of: [1]), name: "relu", hardware: "here", lastUsed: 950, revision: 1,
      toolchain: "clang 14 -O2", provenance: today, isSearched: true, isWithdrawn: false)
    change(&facts)
    return facts
  }

  @Test("what would be made like this today is not stale")
  func fresh() {
    #expect(criteria.reasons(for: facts()).isEmpty)
  }

  @Test("each change has its own reason, and only that")
  func reasons() {
    #expect(criteria.reasons(for: facts { $0.provenance?.generator = "g1" }) == [.generator])
    #expect(criteria.reasons(for: facts { $0.toolchain = "gcc 12 -O2" }) == [.compiler])
    #expect(criteria.reasons(for: facts { $0.provenance?.driver = "1" }) == [.driver])
    #expect(criteria.reasons(for: facts { $0.provenance?.microcode = "0x1" }) == [.microcode])
    #expect(criteria.reasons(for: facts { $0.provenance?.kernel = "6.0" }) == [.kernel])
    #expect(criteria.reasons(for: facts { $0.hardware = "there" }) == [.hardware])
    #expect(criteria.reasons(for: facts { $0.lastUsed = 899 }) == [.unused])
    #expect(criteria.reasons(for: facts { $0.isWithdrawn = true }) == [.evidence])
    #expect(criteria.reasons(for: facts { $0.provenance?.knowledge = "k1" }) == [.knowledge])
  }

  @Test("what an older Granary recorded is of an unknown generator")
  func old() {
    #expect(criteria.reasons(for: facts { $0.provenance = nil }) == [.generator])
  }

  @Test("knowledge makes nothing stale that was never searched")
  func unsearched() {
    let unsearched = facts {
      $0.provenance?.knowledge = "k1"
      $0.isSearched = false
    }
    #expect(criteria.reasons(for: unsearched).isEmpty)
  }

  @Test("the fingerprint of the generator is of sources, not of failures")
  func fingerprint() {
    #expect(GeneratorFingerprint.value.count == 12)
    #expect(GeneratorFingerprint.specsWithoutSource.isEmpty)
  }
}
