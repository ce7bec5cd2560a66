import CodeGeneration
import Evaluation
import FoundationEssentials
import Hardware
import KernelSpec
import RunnerProtocol
import TensorProgram
import Testing

/// Positions that a graph computes itself, far outside their tables, between pages that must not be touched.
@Suite("Computed indexes")
struct ComputedIndexTests {
  /// Each takes a table `w` and positions that it changes before it uses them.
  static let specs = [
    "embedding(w: f32[5,3], add(i: i64[9], 1))",
    "embedding(w: f32[5,3], mul(i: i64[9], i: i64[9]))",
    "embedding(w: f32[5,16], sub(i: i64[64], 9223372036854775807))",
    "index_select(w: f32[4,7], 1, neg(i: i64[9]))",
    "gather(w: f32[4,9], 0, mul(i: i64[3,9], 1000000007))",
    "embedding(w: f32[300,3], _to_copy(_to_copy(i: i64[9], dtype: i8), dtype: i64))",
    "embedding(w: f32[5,3], _to_copy(i: f32[9], dtype: i64))",
    "relu(embedding(w: f32[5,33], add(i: i64[9], 1000)))",
    "sum(embedding(w: f32[5,33], add(i: i64[9,4], 1000)), dim: [1])",
    "embedding(w: f32[5,3], constant_pad_nd(i: i64[6], [2,2], 77))",
    "embedding(w: f32[2,3], argmax(x: f32[9,6], dim: 1))",
    "matmul(embedding(w: f32[5,32], add(i: i64[40], -3)), y: f32[32,48])",
  ]

  @Test("a computed index outside its table reads the nearest row", arguments: specs)
  func clamped(text: String) async throws {
    let spec = try Spec.parse(text).checked()
    let program = try TensorProgram(lowering: spec)
    let expected = try ReferenceEvaluator(program.simplified()).evaluate(Self.inputs(of: program))
    let bytes = try zip(program.inputs, Self.inputs(of: program)).map {
      try #require($1.bytes(as: program[$0].type))
    }
    let environment = ProcessInfo.processInfo.environment
    let hardware = try HardwareProbe.host()
    let compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    let runner = try NativeRunner(environment: environment, confinement: compiler.confinement)
    let generator = CodeGenerator(hardware: hardware, language: .c)
    let fused = program.fused()
    let kernel = try generator.source(
      for: fused, schedule: generator.space(for: fused).defaultSchedule)
    let sources: [(KernelSource, CompilationPurpose)] = [
      (kernel, .candidate), (ReferenceSource.make(for: program), .reference),
    ]
    for (source, purpose) in sources {
      let artifact = try Self.artifact(await compiler.compile(source, for: purpose))
      for guards in GuardPlacement.allCases {
        let session = try await runner.open(artifact, threads: 2, limits: RunnerLimits())
        let result = try await session.run(inputs: bytes, guards: guards)
        await session.close()
        #expect(result.status.failure == nil, "\(guards)\n\(source.text)")
        for (output, (value, type)) in zip(result.outputs, zip(expected, source.interface.outputs))
        {
          let actual = try #require(TensorValue(bytes: output, type: type))
          #expect(Self.agree(actual.reals, value.reals), "\(actual.reals)\n\(source.text)")
        }
      }
    }
  }

  @Test("positions into a table without rows are refused, not read")
  func emptyTable() throws {
    let spec = try Spec.parse("embedding(w: f32[0,4], i: i64[3])").checked()
    #expect(throws: LoweringError.self) { try TensorProgram(lowering: spec) }
  }

  /// Small integers in tables; positions from far below to far above any table.
  private static func inputs(of program: TensorProgram) -> [TensorValue] {
    program.inputs.map { input in
      let type = program[input].type
      let numbers = 0..<type.elementCount
      guard type.dtype.isFloatingPoint else {
        let positions: [Int64] = [-1 << 40, -7, -1, 0, 1, 4, 5, 1000, 1 << 40]
        return TensorValue(
          type.dtype, type.shape, integers: numbers.map { positions[$0 % positions.count] })
      }
      return TensorValue(type.dtype, type.shape, reals: numbers.map { Double($0 * 7 % 23) - 8 })
    }
  }

  private static func artifact(_ outcome: CompileOutcome) throws -> Artifact {
    switch outcome {
    case .artifact(let artifact): return artifact
    case .failed(let log): throw EvaluationError(.systemRefused, log)
    }
  }

  private static func agree(_ actual: [Double], _ expected: [Double]) -> Bool {
    actual.count == expected.count
      && zip(actual, expected).allSatisfy { abs($0 - $1) <= 1e-4 * (1 + abs($1)) }
  }
}
