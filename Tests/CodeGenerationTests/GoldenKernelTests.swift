import CodeGeneration
import FoundationEssentials
import GoldenCases
import KernelSpec
import TensorProgram
import Testing

@Suite("Kernels and PyTorch")
struct GoldenKernelTests {
  /// Which cases to run: those whose name contains it, or `all`.
  private static let wanted = ProcessInfo.processInfo.environment["GRANARY_GOLDEN_KERNELS"]

  /// The first case of each overload, or those that are asked for.
  private static func cases() throws -> [GoldenCase] {
    let all = try GoldenCase.all().filter { $0.refused != true }
    if let wanted { return all.filter { wanted == "all" || $0.name.contains(wanted) } }
    var seen: Set<String> = []
    return try all.filter { golden in
      let used = try Spec.parse(golden.spec).nodes.map(\.op)
      return used.count == 1 && seen.insert(used[0]).inserted
    }
  }

  @Test("the kernel and the reference of every operator compute what PyTorch computes")
  func agreement() throws {
    let failures = GoldenCase.problems(among: try Self.cases(), problem)
    #expect(failures.isEmpty, "\(failures.count) cases:\n\(failures.joined(separator: "\n"))")
  }

  /// What is wrong with a case, in words.
  private func problem(_ golden: GoldenCase) throws -> String? {
    let checked = try Spec.parse(golden.spec).checked()
    let program = try TensorProgram(lowering: checked)
    let fused = program.fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    var schedule = generator.space(for: fused).defaultSchedule
    schedule.build["optimization"] = 1
    let inputs = try zip(golden.inputValues(checked), checked.inputs).map { value, input in
      var bytes = Bytes(count: 0)
      bytes.bytes = value.bytes(as: input.type) ?? []
      return bytes
    }
    let source = try generator.source(for: fused, schedule: schedule)
    let results = try run(source, inputs)
    guard results.status == 0 else { return "the kernel gave \(results.status)" }
    if let difference = try difference(results.outputs, golden, of: program) { return difference }
    let reference = try run(ReferenceSource.make(for: program), inputs)
    return try difference(reference.outputs, golden, of: program, isReference: true).map {
      "reference: \($0)"
    }
  }

  private func difference(
    _ outputs: [Bytes], _ golden: GoldenCase, of program: TensorProgram, isReference: Bool = false
  ) throws -> String? {
    for ((bytes, wanted), output) in zip(zip(outputs, try golden.expectations()), program.outputs) {
      let type = program[output].type
      let memory = !isReference ? type.dtype : type.dtype.isFloatingPoint ? .f64 : .i64
      guard let raw = TensorValue(bytes: bytes.bytes, type: TensorType(memory, type.shape)) else {
        return "too few bytes"
      }
      let value =
        switch raw.storage {
        case .reals(let values): TensorValue(type.dtype, type.shape, reals: values).rounded
        case .integers(let values): TensorValue(type.dtype, type.shape, integers: values)
        }
      let difference = value.difference(
        from: wanted, rtol: golden.rtol ?? 0, atol: golden.atol ?? 0,
        anyZero: golden.anyZero ?? false)
      if let difference { return difference }
    }
    return nil
  }
}
