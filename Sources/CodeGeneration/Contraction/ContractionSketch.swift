package import KernelSpec
import Hardware
import TensorProgram

/// Matrix products of every kind: matmul, linear, einsum and, by packing shifted windows,
/// convolution.
///
/// Parameters: `mr` × `nv` vectors make the register tile; `kc`, `mc` and `nc` cut depth, rows and
/// columns into blocks (0: not at all); `pack_a` and `pack_b` leave a factor in place (0), pack it
/// whole before (1) or block by block (2); `unroll` is that of the inner loop; `order` says whether
/// columns (0) or rows (1) are the outer loop over the tiles of a block.
package struct ContractionSketch: Sketch {
  package let name = "contraction"

  package init() {}

  package func matches(_ site: KernelSite) -> Bool {
    site.language == .c && Contraction(site.kernel) != nil
  }

  package func parameters(for site: KernelSite) -> [ParameterDomain] {
    guard let contraction = Contraction(site.kernel) else { return [] }
    return ContractionDefaults(contraction, site: site).domains
  }

  package func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? {
    let contraction = Contraction(site.kernel)
    let tuning = ContractionTuning(schedule.parameters)
    return Self.violation(
      of: schedule, for: site,
      contraction.map { ContractionText($0, tuning: tuning, site: site) })
  }

  /// The rule that a schedule breaks, given the text that it gives.
  static func violation(
    of schedule: KernelSchedule, for site: KernelSite, _ text: ContractionText?
  ) -> String? {
    let tuning = ContractionTuning(schedule.parameters)
    let registers = tuning.mr * tuning.nv + tuning.nv + 1
    let available = max(site.hardware.tuning.vectorRegisters, 16)
    if registers > available {
      return "a register tile of \(tuning.mr) × \(tuning.nv) vectors needs \(registers) registers"
        + " of \(available)"
    }
    guard let text else { return "not a contraction" }
    if text.threadBytes > Self.mostThreadBytes {
      return "blocks of \(text.threadBytes) bytes for each thread"
    }
    return nil
  }

  /// More than any cache holds for one thread; large blocks only waste memory.
  private static let mostThreadBytes = 64 << 20

  package func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let contraction = Contraction(site.kernel) else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is no contraction")
    }
    let tuning = ContractionTuning(schedule.parameters)
    return .text(ContractionText(contraction, tuning: tuning, site: site).kernelText)
  }
}
