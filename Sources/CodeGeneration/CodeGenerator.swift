package import Hardware
package import KernelSpec
package import TensorProgram

/// Turns fused programs and schedules into source: the whole of code generation's interface.
///
/// A pure function of its arguments: equal programs and schedules give equal text.
package struct CodeGenerator: Sendable {
  private let hardware: HardwareDescription
  private let language: TargetLanguage
  private let sketches: [any Sketch]

  package init(hardware: HardwareDescription, language: TargetLanguage) {
    self.hardware = hardware
    self.language = language
    sketches = SketchTable.all
  }

  /// Every schedule that is offered for `program`; each kernel has at least the fallback loop nest.
  package func space(for program: FusedProgram) -> ScheduleSpace {
    ScheduleSpace(
      kernels: sites(of: program).map { site in
        KernelSpace(
          name: site.summary,
          sketches: ranked(for: site).map {
            SketchSpace(sketch: $0.name, parameters: $0.parameters(for: site))
          })
      },
      build: language == .c ? [ParameterDomain("optimization", [1, 2, 3], default: 2)] : [])
  }

  /// The sketches that fit: the default first, then the others as in the table, so that the plainest is the last.
  private func ranked(for site: KernelSite) -> [any Sketch] {
    var fitting = sketches.filter { $0.matches(site) }
    guard let preferred = fitting.firstIndex(where: { !$0.isAlternative(at: site) }) else {
      return fitting
    }
    fitting.insert(fitting.remove(at: preferred), at: 0)
    return fitting
  }

  /// The rule that `schedule` breaks, or `nil` when it is legal.
  package func violation(of schedule: Schedule, for program: FusedProgram) -> String? {
    let sites = sites(of: program)
    guard schedule.kernels.count == sites.count else {
      return "The program has \(sites.count) kernels and the schedule \(schedule.kernels.count)."
    }
    if let level = schedule.build["optimization"], ![1, 2, 3].contains(level) {
      return "The parameter 'optimization' cannot be \(level)."
    }
    for (site, choice) in zip(sites, schedule.kernels) {
      if let broken = violation(of: choice, at: site) { return broken }
    }
    return nil
  }

  private func violation(of choice: KernelSchedule, at site: KernelSite) -> String? {
    guard let sketch = sketches.first(where: { $0.name == choice.sketch }), sketch.matches(site)
    else { return "The sketch '\(choice.sketch)' does not fit kernel \(site.position)." }
    let domains = sketch.parameters(for: site)
    for domain in domains {
      guard let value = choice.parameters[domain.name] else {
        return "The parameter '\(domain.name)' of '\(choice.sketch)' is missing."
      }
      if !domain.values.contains(value) {
        return "The parameter '\(domain.name)' of '\(choice.sketch)' cannot be \(value)."
      }
    }
    return sketch.violation(of: choice, for: site)
  }

  /// The source of `program` under `schedule`.
  ///
  /// - Throws: ``CodeGenerationError`` `illegal-schedule` or `unsupported-language`.
  package func source(for program: FusedProgram, schedule: Schedule) throws -> KernelSource {
    let lowered = try lower(program, schedule)
    switch language {
    case .c:
      return renderer(program).source(lowered, optimization: Self.optimization(of: schedule))
    case .openCL:
      return try OpenCLRenderer(program).source(lowered)
    default:
      throw CodeGenerationError(
        .unsupportedLanguage, "There is no renderer for '\(language.rawValue)'.")
    }
  }

  /// The parts of the C source of `program` under `schedule`.
  func unit(for program: FusedProgram, schedule: Schedule) throws -> CUnit {
    guard language == .c else {
      throw CodeGenerationError(.unsupportedLanguage, "Families of specs have kernels in C only.")
    }
    return renderer(program).unit(
      try lower(program, schedule), optimization: Self.optimization(of: schedule))
  }

  private func renderer(_ program: FusedProgram) -> CRenderer {
    CRenderer(program, threads: max(hardware.tuning.threads, 1))
  }

  private static func optimization(of schedule: Schedule) -> Int {
    schedule.build["optimization"] ?? 2
  }

  private func lower(_ program: FusedProgram, _ schedule: Schedule) throws -> [LoweredKernel] {
    if let broken = violation(of: schedule, for: program) {
      throw CodeGenerationError(.illegalSchedule, broken)
    }
    return try zip(sites(of: program), schedule.kernels).map { site, choice in
      guard let sketch = sketches.first(where: { $0.name == choice.sketch }) else {
        throw CodeGenerationError(.illegalSchedule, "There is no sketch '\(choice.sketch)'.")
      }
      return try sketch.lower(site, schedule: choice)
    }
  }

  private func sites(of program: FusedProgram) -> [KernelSite] {
    program.kernels.enumerated().map { position, kernel in
      KernelSite(
        program: program.program, kernel: kernel, position: position, hardware: hardware,
        language: language)
    }
  }
}

extension KernelSite {
  /// What the kernel does, for people, such as `reduce 4096x1024`.
  package var summary: String {
    let kinds = kernel.stages.map { stage in
      switch stage.body {
      case .map: "map"
      case .reduce: "reduce"
      case .scan: "scan"
      case .scatter: "scatter"
      case .sort: "sort"
      case .recurrence: "recurrence"
      }
    }
    // A loop over steps has no axes to run in parallel; what it makes tells it from others.
    let axes = kernel.stages.first { $0.recurrence != nil }?.domain ?? kernel.outer
    let extents = axes.map { "\($0.extent)" }.joined(separator: "x")
    return "\(kinds.joined(separator: "+")) \(extents.isEmpty ? "1" : extents)"
  }

  /// A rough count of scalar operations, for the choice of whether threads are worth their start.
  package var operationCount: Int {
    kernel.stages.reduce(0) { total, stage in
      var nodes = 0
      for value in stage.expressions { value.visit { _ in nodes += 1 } }
      return total + stage.iterationCount * max(nodes, 1)
    }
  }
}
