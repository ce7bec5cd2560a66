package import CodeGeneration
package import Hardware
package import KernelSpec
package import TensorProgram

/// All that follows from a spec and the hardware before anything is compiled.
package struct KernelPlan: Sendable {
  package let spec: CheckedSpec
  package let key: KernelKey
  /// The lowered spec as it is: the reference is made from it.
  package let program: TensorProgram
  /// The kernel that computes expected values.
  let reference: KernelSource
  /// The program in kernels: candidates are made from it.
  package let fused: FusedProgram
  package let space: ScheduleSpace
  package let work: Work
  package let generator: CodeGenerator
  let hardware: HardwareDescription
  /// The source under the default schedule; `nil` when it has none.
  private let defaultSource: KernelSource?
  /// What kernels of the plan take after the spec's inputs: the sizes, for an instance of a family.
  package let trailingInputs: [[UInt8]]

  /// - Throws: `unsupported` when an operator has no lowering or the program no kernel.
  package init(
    spec: CheckedSpec, hardware: HardwareDescription, trailingInputs: [[UInt8]] = []
  ) throws(OptimizationError) {
    self.trailingInputs = trailingInputs
    self.spec = spec
    self.hardware = hardware
    key = KernelKey(spec: spec, hardware: hardware.tuning.canonicalText)
    generator = CodeGenerator(hardware: hardware, language: .c)
    do {
      program = try TensorProgram(lowering: spec)
    } catch {
      throw OptimizationError(.unsupported, "\(error)")
    }
    reference = ReferenceSource.make(for: program)
    fused = program.fused()
    space = generator.space(for: fused)
    work = program.work
    defaultSource = try? generator.source(for: fused, schedule: space.defaultSchedule)
  }

  /// The source under `schedule`.
  ///
  /// - Throws: what the generator throws.
  func source(under schedule: Schedule) throws -> KernelSource {
    if let defaultSource, schedule == space.defaultSchedule { return defaultSource }
    return try generator.source(for: fused, schedule: schedule)
  }

  /// The memory that the default kernel takes beside inputs and outputs, its packed factors included.
  var workspaceBytes: Int { defaultSource?.interface.workspaceBytes ?? 0 }

  /// The dtype whose peak bounds the arithmetic: that of the first floating-point output, or of the first output.
  package var arithmeticType: DType {
    let types = program.outputs.map { program[$0].type.dtype }
    return types.first(where: \.isFloatingPoint) ?? types.first ?? .f32
  }
}
