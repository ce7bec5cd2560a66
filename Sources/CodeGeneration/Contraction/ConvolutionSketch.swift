import Hardware
import KernelSpec
import TensorProgram

/// Convolutions whose products read a padded copy of the image, at a distance for each step of the depth, instead
/// of packed windows.
///
/// Parameters: those of ``ContractionSketch`` but how the image is packed.
struct ConvolutionSketch: Sketch {
  let name = "convolution"

  func matches(_ site: KernelSite) -> Bool { site.language == .c && image(site) != nil }

  private func image(_ site: KernelSite) -> ConvolutionImage? {
    Contraction(site.kernel).flatMap(ConvolutionImage.init)
  }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    guard let image = image(site) else { return [] }
    return ContractionDefaults(image.contraction, site: site, readsImage: true).domains
      .filter { $0.name != "pack_b" }
  }

  func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? {
    ContractionSketch.violation(of: schedule, for: site, text(site, schedule))
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let text = text(site, schedule) else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is no convolution")
    }
    return .text(text.kernelText)
  }

  private func text(_ site: KernelSite, _ schedule: KernelSchedule) -> ContractionText? {
    guard let image = image(site) else { return nil }
    var tuning = ContractionTuning(schedule.parameters)
    tuning.packB = .image
    return ContractionText(image.contraction, tuning: tuning, site: site, image: image)
  }
}
