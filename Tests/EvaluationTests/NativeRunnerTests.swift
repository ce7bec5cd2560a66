import Evaluation
import KernelSpec
import RunnerProtocol
import Testing

@Suite struct NativeRunnerTests {
  @Test("a compiled kernel runs in a process of its own and its outputs come back")
  func roundTrip() async throws {
    let bench = try await Bench()
    let artifact = try await bench.compile(Bench.source(Bench.honestBody))
    let session = try await bench.runner.open(artifact, threads: 2, limits: RunnerLimits())
    let inputs = InputGenerator(Bench.interface()).inputs(.integers, seed: 4)
    let a = TensorElements(inputs[0], dtype: .f32, count: 1000)
    let b = TensorElements(inputs[1], dtype: .f32, count: 1000)
    for placement in GuardPlacement.allCases {
      let result = try await session.run(inputs: inputs, guards: placement)
      try #require(result.status == .finished)
      #expect(result.inputsUnchanged)
      #expect(result.runnerNanoseconds > 0)
      #expect(result.parentNanoseconds >= result.runnerNanoseconds)
      guard case .real(let left) = a, case .real(let right) = b else { return }
      let sum = zip(left, right).map { $0 * 2 + $1 }
      #expect(TensorElements(result.outputs[0], dtype: .f32, count: 1000) == .real(sum))
    }
    await session.close()
  }

  @Test("the sandbox that runs kernels has every layer that this machine offers")
  func layers() async throws {
    let bench = try await Bench()
    let artifact = try await bench.compile(Bench.source(Bench.honestBody))
    let session = try await bench.runner.open(artifact, threads: 1, limits: RunnerLimits())
    let layers = await session.sandbox.layers
    #expect(layers.isSuperset(of: [.resourceLimits, .noPrivileges, .systemCalls]))
    await session.close()
  }

  @Test("an honest kernel passes and its evidence has one check for each case")
  func honest() async throws {
    let bench = try await Bench()
    let reference = try await bench.reference()
    let artifact = try await bench.compile(Bench.source(Bench.honestBody))
    let outcome = try await bench.verifier().verify(artifact, against: reference)
    guard case .passed(let checks) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(checks.count == InputDistribution.allCases.count)
    #expect(checks.allSatisfy { $0.elementsCompared == 1000 && $0.worstErrorOverTolerance <= 1 })
  }
}
