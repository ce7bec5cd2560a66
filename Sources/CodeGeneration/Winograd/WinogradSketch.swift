import Hardware
import KernelSpec
import TensorProgram

/// Convolutions of 3 × 3 places by Winograd's transforms: 4 (tiles of 4 × 4 results) or 2¼ times (2 × 2) fewer
/// multiplications than ``ConvolutionSketch``, against the transforms and rounding errors of several times the size.
///
/// Parameters: `tile` is the side of a tile of results; `mr` tiles × `nv` vectors of filters make the register tile;
/// `rows` of tiles are multiplied together; `share` transforms all tiles before the products (1), so that threads may
/// divide the filters too, or each group by the thread that multiplies it (0).
struct WinogradSketch: Sketch {
  let name = "winograd"

  func matches(_ site: KernelSite) -> Bool { site.language == .c && convolution(site) != nil }

  private func convolution(_ site: KernelSite) -> WinogradConvolution? {
    guard let contraction = Contraction(site.kernel),
      site.hardware.tuning.vectorBytes >= 16, site.hardware.tuning.vectorBytes <= 64
    else { return nil }
    return WinogradConvolution(contraction)
  }

  func isAlternative(at site: KernelSite) -> Bool {
    convolution(site).map { !WinogradDefaults($0, site: site).isWorthIt } ?? true
  }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    guard let convolution = convolution(site) else { return [] }
    return WinogradDefaults(convolution, site: site).domains
  }

  func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? {
    guard let text = text(site, schedule) else { return "not a convolution of 3 x 3 places" }
    let registers = text.tuning.mr * text.tuning.nv + text.tuning.nv + 1
    let available = max(site.hardware.tuning.vectorRegisters, 16)
    if registers > available {
      return "a register tile of \(text.tuning.mr) × \(text.tuning.nv) vectors needs "
        + "\(registers) registers of \(available)"
    }
    if text.threadBytes > Self.mostThreadBytes {
      return "groups of tiles of \(text.threadBytes) bytes for each thread"
    }
    if text.sharedBytes > Self.mostSharedBytes {
      return "\(text.sharedBytes) bytes of transformed filters and tiles"
    }
    return nil
  }

  private static let mostThreadBytes = 64 << 20
  private static let mostSharedBytes = 1 << 30

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let text = text(site, schedule) else {
      throw CodeGenerationError(
        .illegalSchedule, "kernel \(site.position) is no convolution of 3 x 3 places")
    }
    return .text(text.kernelText)
  }

  private func text(_ site: KernelSite, _ schedule: KernelSchedule) -> WinogradText? {
    convolution(site).map {
      WinogradText($0, tuning: WinogradTuning(schedule.parameters), site: site)
    }
  }
}
