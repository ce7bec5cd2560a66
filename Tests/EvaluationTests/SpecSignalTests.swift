import KernelSpec
import Testing

@testable import Evaluation

@Suite struct SpecSignalTests {
  private func test(
    _ distribution: InputDistribution, seed: UInt64, _ values: [Double], error: Float = 0
  ) -> VerificationCase {
    VerificationCase(
      distribution: distribution, seed: seed, inputs: [],
      expected: [
        expectation(values, [Float](repeating: error, count: values.count))
      ])
  }

  private func passing(_ cases: [VerificationCase], narrowed: [VerificationCase] = [])
    -> [WrongAnswer]
  {
    SpecSignal(
      cases, narrowed: narrowed, types: [TensorType(.f32, [2])], numerics: NumericPolicy()
    ).passing.map(\.answer)
  }

  @Test("where values vary with inputs and elements, every wrong answer is seen")
  func signal() {
    let cases = [test(.normal, seed: 1, [1, 2]), test(.uniform, seed: 2, [3, -1])]
    let narrowed = [test(.normal, seed: 1, [1.003, 2.002])]
    #expect(passing(cases, narrowed: narrowed) == [])
  }

  @Test("a result that is always zero tells nothing")
  func zeros() {
    let cases = [test(.normal, seed: 1, [0, 0]), test(.uniform, seed: 2, [0, 0])]
    #expect(passing(cases) == [.zeros, .constant, .stale])
  }

  @Test("a result that is always the same number is a constant, and not zeros")
  func constant() {
    let cases = [test(.normal, seed: 1, [1, 1]), test(.uniform, seed: 2, [1, 1])]
    #expect(passing(cases) == [.constant, .stale])
  }

  @Test("a result that does not depend on its inputs lets the answer to others pass")
  func stale() {
    let cases = [test(.normal, seed: 1, [1, 2]), test(.uniform, seed: 2, [1, 2])]
    #expect(passing(cases) == [.stale])
  }

  @Test("where rounding is as large as the digits that are lost, narrow inputs pass")
  func narrow() {
    let cases = [
      test(.normal, seed: 1, [1, 2], error: 0.01), test(.uniform, seed: 2, [3, 1], error: 0.01),
    ]
    #expect(passing(cases, narrowed: [test(.normal, seed: 1, [1.003, 2.002])]) == [.narrow])
  }
}
