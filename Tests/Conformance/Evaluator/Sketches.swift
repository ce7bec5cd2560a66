import CodeGeneration
import Hardware
import KernelSpec
import TensorProgram

/// The sketches that the default schedule of a spec uses, for the page of all operators.
enum Sketches {
  /// A usual machine: the sketch of a kernel depends on its form more than on the machine.
  private static let hardware = HardwareDescription(
    compatibility: CompatibilityIdentity(architecture: "x86_64", features: [], libc: "glibc"),
    tuning: TuningIdentity(
      model: "usual", architecture: "x86_64", vectorFeatures: [], vectorBytes: 64,
      vectorRegisters: 32, threads: 2, cacheBytes: [32 << 10, 1 << 20, 32 << 20]))

  /// Their names, each once, in order of the kernels; empty for a spec that is none.
  static func line(for text: String) -> String {
    guard let checked = try? Spec.parse(text).checked(),
      let program = try? TensorProgram(lowering: checked)
    else { return "" }
    let space = CodeGenerator(hardware: hardware, language: .c).space(for: program.fused())
    var names: [String] = []
    for kernel in space.defaultSchedule.kernels where !names.contains(kernel.sketch) {
      names.append(kernel.sketch)
    }
    return names.joined(separator: ", ")
  }
}
