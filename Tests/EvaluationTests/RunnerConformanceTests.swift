import Evaluation
import Glibc
import KernelSpec
import RunnerProtocol
import Testing

/// What every runner promises, whatever it runs.
@Suite(.serialized) struct RunnerConformanceTests {
  enum Kind: String, CaseIterable { case native, openCL }

  /// The driver's loader is looked for, so that a machine without OpenCL skips those tests.
  static let kinds: [Kind] = dlopen("libOpenCL.so.1", RTLD_NOW) == nil ? [.native] : Kind.allCases

  private func subject(_ kind: Kind, _ bench: Bench) async throws -> (any KernelRunner, Artifact) {
    switch kind {
    case .native: return (bench.runner, try await bench.compile(Bench.source(Bench.honestBody)))
    case .openCL:
      guard case .artifact(let artifact) = await OpenCLCompiler().compile(Bench.openCLSource)
      else { throw EvaluationError(.systemRefused, "no artifact") }
      return (
        OpenCLRunner(
          executable: bench.runner.executable, confinement: bench.compiler.confinement), artifact
      )
    }
  }

  @Test("a right kernel passes on every case, between guards on either side", arguments: kinds)
  func verification(kind: Kind) async throws {
    let bench = try await Bench()
    let (runner, artifact) = try await subject(kind, bench)
    let verifier = Verifier(runner: runner, numerics: NumericPolicy(), threads: 2)
    let reference = try await bench.reference()
    let outcome = try await verifier.verify(artifact, against: reference)
    guard case .passed(let checks) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(checks.count == reference.cases.count)
  }

  @Test("timed calls give a time each and the outputs of the last", arguments: kinds)
  func timing(kind: Kind) async throws {
    let bench = try await Bench()
    let (runner, artifact) = try await subject(kind, bench)
    let session = try await runner.open(artifact, threads: 2, limits: RunnerLimits())
    let inputs = InputGenerator(Bench.interface()).inputs(.normal, seed: 1)
    let run = try await session.run(inputs: inputs, guards: .end)
    let timed = try await session.time(inputs: inputs, calls: 7, inspects: true)
    #expect(timed.nanoseconds.count == 7)
    #expect(timed.nanoseconds.allSatisfy { $0 > 0 })
    #expect(timed.nanoseconds.reduce(0, +) <= timed.parentNanoseconds)
    #expect(timed.outputs == run.outputs)
    await session.close()
    let after = try await session.run(inputs: inputs, guards: .end)
    #expect(after.status.failure != nil)
  }

  @Test("what cannot be loaded is the kernel's fault and says why", arguments: kinds)
  func unloadable(kind: Kind) async throws {
    let bench = try await Bench()
    var (runner, artifact) = try await subject(kind, bench)
    artifact.bytes = Array("neither an object nor a program".utf8)
    let error = await #expect(throws: KernelLoadError.self) {
      try await runner.open(artifact, threads: 1, limits: RunnerLimits())
    }
    #expect(error?.reason.isEmpty == false)
  }
}
