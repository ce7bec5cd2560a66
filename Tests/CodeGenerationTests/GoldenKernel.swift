import CodeGeneration
import GoldenCases
import KernelSpec
import TensorProgram

/// What a golden case becomes: its program, and the default kernel of that.
struct GoldenKernel {
  let spec: CheckedSpec
  let program: TensorProgram
  /// Little optimised, as it runs once or twice.
  let source: KernelSource

  init(_ golden: GoldenCase) throws {
    spec = try Spec.parse(golden.spec).checked()
    program = try TensorProgram(lowering: spec)
    let fused = program.fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    var schedule = generator.space(for: fused).defaultSchedule
    schedule.build["optimization"] = 1
    source = try generator.source(for: fused, schedule: schedule)
  }

  /// The bytes of inputs, as the kernel takes them.
  func inputs(_ values: [TensorValue]) -> [Bytes] {
    zip(values, spec.inputs).map { value, input in
      var bytes = Bytes(count: 0)
      bytes.bytes = value.bytes(as: input.type) ?? []
      return bytes
    }
  }
}
