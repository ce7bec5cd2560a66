import CodeGeneration
import Evaluation
import FoundationEssentials
import Hardware
import KernelSpec
import RunnerProtocol
import TensorProgram

/// A spec with what it takes to run it on an OpenCL device and to judge the result by the reference in C.
struct DeviceBench {
  static let distributions: [InputDistribution] = [.normal, .integers, .special]

  private let spec: CheckedSpec
  private let program: TensorProgram
  private let hardware: HardwareDescription
  private let compiler: CCompiler
  private let host: NativeRunner
  private let device: OpenCLRunner

  init(_ text: String) async throws {
    let environment = ProcessInfo.processInfo.environment
    spec = try Spec.parse(text).checked()
    program = try TensorProgram(lowering: spec)
    hardware = try HardwareProbe.host()
    compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    host = try NativeRunner(environment: environment, confinement: compiler.confinement)
    device = OpenCLRunner(executable: host.executable, confinement: compiler.confinement)
  }

  /// Whether OpenCL kernels run on this machine. Continuous integration has to have a device: there a missing
  /// one is a failure of the tests.
  @Sendable static func canRun() async throws -> Bool {
    if ProcessInfo.processInfo.environment["CI"] != nil { return true }
    let bench = try await DeviceBench("relu(x: f32[1])")
    return (try? await bench.run(bench.source(), inputs: [[0, 0, 0, 0]])) != nil
  }

  /// The program as OpenCL C, under the default schedule.
  func source() throws -> KernelSource {
    let generator = CodeGenerator(hardware: hardware, language: .openCL)
    let fused = program.fused()
    return try generator.source(for: fused, schedule: generator.space(for: fused).defaultSchedule)
  }

  func judge(_ source: KernelSource) async throws -> VerificationOutcome {
    let reference = try await artifact(ReferenceSource.make(for: program), compiler, .reference)
    let values = try await ReferenceValues.compute(
      reference, for: source.interface, runner: host, distributions: Self.distributions, seed: 1)
    let verifier = Verifier(
      runner: device, numerics: spec.numerics, threads: hardware.tuning.threads)
    return try await verifier.verify(try await artifact(source, OpenCLCompiler()), against: values)
  }

  /// The outputs of one call.
  func run(_ source: KernelSource, inputs: [[UInt8]]) async throws -> [[UInt8]] {
    let session = try await device.open(
      try await artifact(source, OpenCLCompiler()), threads: hardware.tuning.threads,
      limits: RunnerLimits())
    let result = try await session.run(inputs: inputs, guards: .end)
    await session.close()
    if let failure = result.status.failure { throw EvaluationError(.systemRefused, failure) }
    return result.outputs
  }

  private func artifact(
    _ source: KernelSource, _ compiler: any KernelCompiler,
    _ purpose: CompilationPurpose = .candidate
  ) async throws -> Artifact {
    switch await compiler.compile(source, for: purpose) {
    case .artifact(let artifact): return artifact
    case .failed(let log): throw EvaluationError(.systemRefused, log)
    }
  }
}
