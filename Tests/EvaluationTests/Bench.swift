import Evaluation
import Glibc
import Hardware
import KernelSpec
import Testing

/// A compiler, a runner and kernels to try them on.
struct Bench {
  static let entry = "kernel"
  let compiler: CCompiler
  let runner: NativeRunner

  /// - Parameter confinement: `nil` for the best that this machine offers.
  init(confinement: Confinement? = nil) async throws {
    let environment = Self.environment
    compiler = try await CCompiler(
      host: Self.host, environment: environment, confinement: confinement)
    runner = try NativeRunner(environment: environment, confinement: compiler.confinement)
  }

  /// The ways in which programs can be shut in on this machine.
  static func confinements() async -> [Confinement] {
    let best = await Confinement.find(environment: environment)
    let kernel = Confinement.kernel(reason: "a test wants it")
    if case .bubblewrap = best { return [best, kernel] } else { return [kernel] }
  }

  static var host: CompatibilityIdentity {
    get throws { try HardwareProbe.host().compatibility }
  }

  static var environment: [String: String] {
    var result: [String: String] = [:]
    for name in ["PATH", "GRANARY_CC", "GRANARY_RUNNER"] {
      if let value = getenv(name) { result[name] = String(cString: value) }
    }
    return result
  }

  /// Two inputs of `count` floats and one output: `y = a * 2 + b`, unless the body says otherwise.
  static func interface(count: Int = 1000, output: DType = .f32, workspace: Int = 4096)
    -> KernelInterface
  {
    KernelInterface(
      entryPoint: entry,
      inputs: [TensorType(.f32, [count]), TensorType(.f32, [count])],
      outputs: [TensorType(output, [count])], inputDomains: [.any, .any],
      workspaceBytes: workspace, alignmentBytes: 64)
  }

  static let header = """
    typedef signed int int32_t; typedef long int64_t;
    typedef unsigned int uint32_t; typedef unsigned char uint8_t;
    typedef struct granary_context {
      uint32_t size; int32_t thread_count;
      void (*parallel_for)(const struct granary_context *, int64_t,
        void (*)(void *, int64_t, int32_t), void *);
      void *host;
    } granary_context;
    enum { N = 1000 };

    """

  /// The source of a kernel with the given body; `a`, `b`, `y`, `w` and `context` are its
  /// arguments.
  static func source(_ body: String, outside: String = "", options: [String] = ["-O2"])
    -> KernelSource
  {
    KernelSource(
      language: .c,
      text: header + outside + """

        int32_t \(entry)(const void *const *inputs, void *const *outputs, void *workspace,
          const granary_context *context) {
          const float *a = inputs[0], *b = inputs[1];
          float *y = outputs[0];
          float *w = workspace;
          (void)a; (void)b; (void)y; (void)w; (void)context;
          \(body)
          return 0;
        }

        """, compilerOptions: options, interface: interface())
  }

  static let honestBody = "for (int i = 0; i < N; i++) y[i] = a[i] * 2 + b[i];"

  static var openCLSource: KernelSource {
    var interface = interface()
    interface.launches = [
      KernelLaunch(
        function: "f", global: [1000], local: [100],
        arguments: [.input(0), .input(1), .workspace(0)]),
      KernelLaunch(
        function: "copy", global: [1000], local: [100], arguments: [.workspace(0), .output(0)]),
    ]
    return KernelSource(
      language: .openCL,
      text: """
        kernel void f(global const float *a, global const float *b, global float *w) {
          size_t i = get_global_id(0);
          w[i] = a[i] * 2 + b[i];
        }
        kernel void copy(global const float *w, global float *y) {
          size_t i = get_global_id(0);
          y[i] = w[i];
        }
        """, compilerOptions: [], interface: interface)
  }

  static var referenceSource: KernelSource {
    var source = source(
      """
      double *z = outputs[0];
      float *e = outputs[1];
      for (int i = 0; i < N; i++) {
        z[i] = (double)a[i] * 2 + b[i];
        e[i] = 4e-7 * (z[i] < 0 ? -z[i] : z[i]);
      }
      """, options: ["-O1", "-lm"])
    source.interface = interface(output: .f64)
    source.interface.outputs.append(TensorType(.f32, [1000]))
    return source
  }

  func compile(_ source: KernelSource, for purpose: CompilationPurpose = .candidate) async throws
    -> Artifact
  {
    switch await compiler.compile(source, for: purpose) {
    case .artifact(let artifact): return artifact
    case .failed(let log): throw EvaluationError(.systemRefused, log)
    }
  }

  func reference(seed: UInt64 = 1) async throws -> ReferenceValues {
    try await ReferenceValues.compute(
      try await compile(Self.referenceSource, for: .reference), for: Self.interface(),
      runner: runner, seed: seed)
  }

  func verifier(time: Duration = .seconds(2), threads: Int = 2) -> Verifier {
    Verifier(
      runner: runner, numerics: NumericPolicy(), threads: threads,
      limits: RunnerLimits(time: time, memoryBytes: 1 << 30, processorSeconds: 20))
  }
}
