import DaemonAPI
import Testing

@testable import Commands

@Suite("Runs over many specs") struct SpecOutcomeTests {
  private func outcome(
    _ name: String, first: Double?, baseline: Double? = nil, tuned: Double? = nil
  ) -> SpecOutcome {
    SpecOutcome(
      name: name, isVerified: true, firstAnswerMilliseconds: first, baselineMicroseconds: baseline,
      tunedMicroseconds: tuned)
  }

  @Test("a kernel is slower when it is so beyond the noise of two measurements")
  func slower() {
    #expect(!outcome("a", first: 1, baseline: 100, tuned: 105).isSlower)
    #expect(outcome("a", first: 1, baseline: 100, tuned: 120).isSlower)
    #expect(!outcome("a", first: 1, baseline: 100).isSlower)
  }

  @Test("the summary counts what is verified and what became slower, and names the others")
  func summary() {
    let summary = SpecSummary([
      outcome("a", first: 100, baseline: 400, tuned: 100),
      outcome("b", first: 300, baseline: 100, tuned: 200),
      outcome("c", first: nil), SpecOutcome(name: "d", isVerified: false, reason: "no"),
    ])
    #expect((summary.specs, summary.verified) == (4, 3))
    #expect(summary.medianFirstAnswerMilliseconds == 200)
    #expect(summary.largestFirstAnswerMilliseconds == 300)
    #expect((summary.searched, summary.slower) == (2, 1))
    #expect(abs((summary.geometricMeanSpeedup ?? 0) - 2.0.squareRoot()) < 1e-12)
    #expect(summary.failures == ["b", "d"])
  }

  @Test("a row that is kept reads back as it was, and names why there is no kernel")
  func rows() throws {
    let failed = SpecOutcome(name: "level1/1", isVerified: false, reason: "no kernel passes")
    let line = try WireJSON.encode(failed)
    #expect(!line.contains(UInt8(ascii: "\n")))
    #expect(try WireJSON.decode(SpecOutcome.self, from: line) == failed)
    #expect(Format.outcome(failed).contains("no kernel passes"))
  }
}
