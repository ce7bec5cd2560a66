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
    let kernel = try GoldenKernel(golden)
    let program = kernel.program
    let inputs = kernel.inputs(try golden.inputValues(kernel.spec))
    let results = try run(kernel.source, inputs)
    guard results.status == 0 else { return "the kernel gave \(results.status)" }
    if let difference = try difference(results.outputs, golden, of: program) { return difference }
    let reference = try run(ReferenceSource.make(for: program), inputs)
    if let difference = try difference(reference.outputs, golden, of: program, isReference: true) {
      return "reference: \(difference)"
    }
    return beyondErrors(results.outputs, reference.outputs, of: program, kernel.spec.numerics)
  }

  /// The first element of the kernel's that is farther from the reference than rounding explains.
  private func beyondErrors(
    _ kernel: [Bytes], _ reference: [Bytes], of program: TensorProgram, _ numerics: NumericPolicy
  ) -> String? {
    for (position, output) in program.outputs.enumerated() {
      let type = program[output].type.dtype
      guard type.isFloatingPoint else { continue }
      let (rtol, _) = numerics.tolerances(for: type)
      let wanted = reference[position].elements(Double.self)
      let errors = reference[program.outputs.count + position].elements(Float.self)
      let smallest = type == .f16 ? 0x1p-24 : type == .f64 ? 0x1p-1022 : 0x1p-126
      for (index, got) in kernel[position].numbers(type).enumerated()
      where got.isFinite && errors[index].isFinite {
        let tolerance = Double(errors[index]) + rtol * abs(wanted[index]) + smallest
        if !(abs(got - wanted[index]) <= tolerance) {
          return
            "output \(position), element \(index) is \(got), not \(wanted[index]) ± \(errors[index])"
        }
      }
    }
    return nil
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
