import CodeGeneration
import Hardware
import KernelSpec
import Knowledge
import TensorProgram

/// What bounds a measured kernel, and what is known about that.
package struct KernelDiagnosis: Sendable, Hashable {
  /// `compute`, `memory` or `overhead`.
  package var bottleneck: String
  /// The share of the measured ceiling that the kernel reaches.
  package var rooflineFraction: Double
  /// Pages that fit, best first.
  package var pages: [Page]

  package struct Page: Sendable, Hashable {
    package var title: String
    package var text: String
  }
}

extension KernelLibrary {
  /// Why the kernel of a spec takes the time that it takes on this machine.
  ///
  /// - Throws: ``OptimizationError`` when the spec has no program any more.
  package func diagnose(_ spec: String, measuredSeconds: Double) throws(OptimizationError)
    -> KernelDiagnosis
  {
    let hardware = workshop.hardware
    let plan = try KernelPlan(spec: try check(spec), hardware: hardware)
    let diagnosis = Diagnosis(
      work: plan.work, dtype: plan.arithmeticType, measuredSeconds: measuredSeconds,
      ceilings: workshop.measuredCeilings)
    let sketches = plan.space.defaultSchedule.kernels.map(\.sketch)
    do {
      let pages = try KnowledgeBase.builtIn().matches(
        hardware: hardware.compatibility, bottleneck: diagnosis.bottleneck, sketches: sketches)
      return KernelDiagnosis(
        bottleneck: diagnosis.bottleneck.rawValue, rooflineFraction: diagnosis.rooflineFraction,
        pages: pages.map { .init(title: $0.document.title, text: $0.document.body) })
    } catch {
      throw OptimizationError(.internalError, "the pages of advice: \(error)")
    }
  }
}
