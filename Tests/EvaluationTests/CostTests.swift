import Evaluation
import KernelSpec
import Testing

@Suite(.serialized) struct CostTests {
  @Test("a small candidate is compiled, verified and timed in well under three seconds")
  func cost() async throws {
    let bench = try await Bench()
    let reference = try await bench.reference()
    let clock = ContinuousClock()
    let incumbent = try await bench.compile(Bench.source(Bench.honestBody, options: ["-O1"]))
    let start = clock.now
    let candidate = try await bench.compile(Bench.source(Bench.honestBody, options: ["-O3"]))
    let compiled = clock.now
    let outcome = try await bench.verifier().verify(candidate, against: reference)
    let verified = clock.now
    let timer = PairedTimer(runner: bench.runner, numerics: NumericPolicy(), threads: 2, seed: 1)
    let timing = try await timer.compare(
      candidate: candidate, incumbent: incumbent, cases: Array(reference.cases.prefix(3)),
      floorNanoseconds: 0)
    let end = clock.now
    guard case .passed = outcome, case .measured = timing else {
      Issue.record("\(outcome) \(timing)")
      return
    }
    print(
      "one candidate: compile \(compiled - start), verify \(verified - compiled),",
      "time \(end - verified)")
    #expect(end - start < .seconds(3))
  }
}
