import Hardware
import KernelSpec
import TensorProgram

/// Loops over steps: the kernels of one step, each made by the sketch that fits it first, run step after step.
///
/// The parameters are those of the kernels of a step, as `step<kernel>_<name>`.
struct RecurrenceSketch: Sketch {
  let name = "recurrence"

  func matches(_ site: KernelSite) -> Bool { site.recurrentStage != nil }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    guard site.language == .c, let plan = RecurrencePlan(site) else { return [] }
    return plan.sites.flatMap { inner in
      plan.sketch(for: inner).parameters(for: inner).map { domain in
        var domain = domain
        domain.name = plan.prefix(of: inner) + domain.name
        return domain
      }
    }
  }

  func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? {
    guard let plan = RecurrencePlan(site) else { return "not a loop over steps" }
    for inner in plan.sites {
      let sketch = plan.sketch(for: inner)
      if let broken = sketch.violation(of: plan.schedule(for: inner, in: schedule), for: inner) {
        return broken
      }
    }
    return nil
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let plan = RecurrencePlan(site) else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is no loop over steps")
    }
    guard site.language == .c else {
      throw CodeGenerationError(
        .unsupportedLanguage,
        "Recurrent networks (lstm, gru, rnn_tanh, rnn_relu) have kernels in C only.")
    }
    var texts: [KernelText] = []
    let renderer = CRenderer(plan.fused, threads: site.hardware.tuning.threads)
    for inner in plan.sites {
      let choice = plan.schedule(for: inner, in: schedule)
      switch try plan.sketch(for: inner).lower(inner, schedule: choice) {
      case .tiles(let tiles): texts.append(renderer.text(of: tiles))
      case .text(let text): texts.append(text)
      }
    }
    return .text(RecurrenceText(plan: plan, kernels: texts).kernelText)
  }
}

extension KernelSite {
  /// The only stage of the kernel, when it is a loop over steps.
  fileprivate var recurrentStage: Stage? {
    kernel.stages.first.flatMap { $0.recurrence == nil ? nil : $0 }
  }
}

/// The kernels of one step of a loop.
struct RecurrencePlan {
  let recurrence: Recurrence
  let output: BufferID
  /// The program of a step in kernels.
  let fused: FusedProgram
  /// What the names of functions begin with.
  let name: String
  let sites: [KernelSite]

  init?(_ site: KernelSite) {
    guard let stage = site.recurrentStage, let recurrence = stage.recurrence else { return nil }
    self.recurrence = recurrence
    output = stage.output
    name = site.name
    let fused = recurrence.body.fused()
    self.fused = fused
    sites = fused.kernels.enumerated().map { position, kernel in
      var inner = KernelSite(
        program: fused.program, kernel: kernel, position: position, hardware: site.hardware,
        language: site.language)
      inner.name = "\(site.name)_step\(position)"
      inner.lasting = Set(recurrence.constantInputs)
      return inner
    }
  }

  func sketch(for site: KernelSite) -> any Sketch {
    SketchTable.all.first { $0.matches(site) } ?? TiledSketch.loopNest
  }

  /// What the names of a kernel's parameters begin with.
  func prefix(of site: KernelSite) -> String { "step\(site.position)_" }

  /// The part of a loop's schedule that is of one kernel of its step.
  func schedule(for site: KernelSite, in schedule: KernelSchedule) -> KernelSchedule {
    let prefix = prefix(of: site)
    let own = schedule.parameters.filter { $0.key.hasPrefix(prefix) }
    return KernelSchedule(
      sketch: sketch(for: site).name,
      parameters: Dictionary(
        uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count)), $0.value) }))
  }
}
