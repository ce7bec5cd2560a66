import CodeGeneration
import Evaluation
import FoundationEssentials
import Hardware
import KernelSpec
import TensorProgram
import Testing

/// Inputs so large that a right kernel overflows, or has no right digit left, say nothing about a wrong one.
@Suite("Inputs that tell") struct TellingInputsTests {
  @Test(
    "large inputs stay where f32 follows the exact values, also into overflow at the end",
    arguments: [
      "relu(x: f32[64])", "exp(x: f32[64])", "softmax(x: f32[8,32], dim: -1)",
      "sigmoid(x: f32[64])",
      "reciprocal(add(exp(neg(x: f32[64])), 1))", "matmul(x: f32[9,40], y: f32[40,9])",
    ])
  func kept(text: String) async throws {
    #expect(try await scale(of: text) == 1)
  }

  @Test(
    "where choices hang on the last digit, smaller ones are drawn",
    arguments: [
      "softmax(mm(x: f32[32,32], softmax(mm(mm(x, x), x), dim: -1)), dim: -1)",
      "exp(sub(mul(x: f32[64], x), mul(mul(x, 0.5), add(x, x))))",
    ])
  func replaced(text: String) async throws {
    #expect(try await scale(of: text) != 1)
  }

  @Test("where sums may leave the range on their way to values within it, smaller ones are drawn")
  func nearTheLimit() async throws {
    // Powers of a matrix, up to about 1e38.
    let text = (0..<9).reduce("x: f32[64,64]") { power, _ in
      "mm(\(power), x)"
    }
    #expect(try await scale(of: text) != 1)
  }

  /// What the inputs of `large` are multiplied by, after the default kernel has passed verification on it.
  private func scale(of text: String) async throws -> Double? {
    let program = try TensorProgram(lowering: try Spec.parse(text).checked())
    let environment = ProcessInfo.processInfo.environment
    let hardware = try HardwareProbe.host()
    let compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    let runner = try NativeRunner(environment: environment, confinement: compiler.confinement)
    let generator = CodeGenerator(hardware: hardware, language: .c)
    let fused = program.fused()
    let source = try generator.source(
      for: fused, schedule: generator.space(for: fused).defaultSchedule)
    guard
      case .artifact(let kernel) = await compiler.compile(source, for: .candidate),
      case .artifact(let reference) = await compiler.compile(
        ReferenceSource.make(for: program), for: .reference)
    else {
      Issue.record("\(text) does not compile")
      return nil
    }
    let values = try await ReferenceValues.compute(
      reference, for: source.interface, runner: runner, distributions: [.large], seed: 5)
    let outcome = try await Verifier(
      runner: runner, numerics: NumericPolicy(), threads: 2
    ).verify(kernel, against: values)
    #expect(outcome.failure == nil, "\(text): \(outcome)")
    return values.cases.first?.scale
  }
}
