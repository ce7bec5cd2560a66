import Evaluation
import Glibc
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
      let sum = zip(a.reals, b.reals).map { $0 * 2 + $1 }
      #expect(TensorElements(result.outputs[0], dtype: .f32, count: 1000).reals == sum)
    }
    await session.close()
  }

  @Test("the sandbox that runs kernels has every layer that this machine offers")
  func layers() async throws {
    for confinement in await Bench.confinements() {
      let bench = try await Bench(confinement: confinement)
      let artifact = try await bench.compile(Bench.source(Bench.honestBody))
      let session = try await bench.runner.open(artifact, threads: 1, limits: RunnerLimits())
      let layers = await session.sandbox.layers
      #expect(layers.isSuperset(of: [.resourceLimits, .noPrivileges, .systemCalls]))
      if case .bubblewrap = confinement {
        #expect(layers.isSuperset(of: [.namespaces, .processes, .readOnlyFiles]))
      }
      await session.close()
    }
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
    #expect(checks.count == InputDistribution.standard.count)
    #expect(checks.allSatisfy { $0.elementsCompared == 1000 && $0.worstErrorOverTolerance <= 1 })
  }

  @Test("a reference may use the mathematical library although no file can be opened")
  func mathematics() async throws {
    let bench = try await Bench()
    var source = Bench.source(
      "double *z = outputs[0]; for (int i = 0; i < N; i++) z[i] = exp(a[i]) + tgamma(b[i]);",
      outside: "double exp(double); double tgamma(double);", options: ["-O2", "-lm"])
    source.interface = Bench.interface(output: .f64)
    let values = try await ReferenceValues.compute(
      try await bench.compile(source, for: .reference), for: Bench.interface(),
      runner: bench.runner,
      distributions: [.constant], seed: 8)
    let test = try #require(values.cases.first)
    let (a, b) = (
      TensorElements(test.inputs[0], dtype: .f32, count: 1).reals[0],
      TensorElements(test.inputs[1], dtype: .f32, count: 1).reals[0]
    )
    #expect(test.expected[0].values.reals[0] == exp(a) + tgamma(b))
  }

  @Test("a case whose values are beyond the range of the type is made anew from smaller inputs")
  func ranges() async throws {
    let bench = try await Bench()
    var source = Bench.source(
      "double *z = outputs[0]; for (int i = 0; i < N; i++) z[i] = a[i] * 0x1p135;")
    source.interface = Bench.interface(output: .f64)
    let values = try await ReferenceValues.compute(
      try await bench.compile(source, for: .reference), for: Bench.interface(),
      runner: bench.runner, distributions: [.normal, .special], seed: 8)
    let normal = values.cases[0].expected[0].values.reals
    let inRange = normal.count { $0.magnitude < Double(Float.greatestFiniteMagnitude) }
    #expect(inRange > normal.count / 4)
    let largest = TensorElements(values.cases[0].inputs[0], dtype: .f32, count: 1000).reals
      .reduce(0) { max($0, $1.magnitude) }
    #expect(largest > 0 && largest < 1)
    #expect(values.cases[1].expected[0].values.reals.contains { $0.isNaN })
  }

  @Test("a wrong digest, a dead session and a reference that fails are told apart")
  func failures() async throws {
    let bench = try await Bench()
    let reference = try await bench.reference()
    var artifact = try await bench.compile(Bench.source(Bench.honestBody))
    artifact.bytes.append(0)
    let outcome = try await bench.verifier().verify(artifact, against: reference)
    guard case .failed(let failure) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(failure.reason.contains("digest"))
    let broken = try await bench.compile(Bench.source("return 7;"))
    let error = await #expect(throws: EvaluationError.self) {
      try await ReferenceValues.compute(
        broken, for: Bench.interface(), runner: bench.runner, seed: 1)
    }
    #expect(error?.code == .referenceFailed)
  }

  @Test("large buffers, many threads and an empty tensor are served")
  func sizes() async throws {
    let bench = try await Bench()
    var source = Bench.source(
      "float *z = outputs[0]; for (int i = 0; i < 1 << 20; i++) z[i] = a[i] + 1;")
    source.interface.inputs = [TensorType(.f32, [1 << 20]), TensorType(.f32, [0])]
    source.interface.outputs = [TensorType(.f32, [1 << 20])]
    source.interface.workspaceBytes = 0
    let artifact = try await bench.compile(source)
    let session = try await bench.runner.open(artifact, threads: 8, limits: RunnerLimits())
    let input = [UInt8](repeating: 0, count: 4 << 20)
    let result = try await session.run(inputs: [input, []], guards: .end)
    try #require(result.status == .finished)
    #expect(result.outputs[0].starts(with: [0, 0, 0x80, 0x3f]))
    await session.close()
  }
}
