package import Hardware
package import KernelSpec

/// What a language model is told when it is asked for a better kernel.
package struct PromptContext: Sendable {
  /// The spec in its text form.
  package var spec: String
  package var hardware: HardwareDescription
  package var parent: Parent
  package var diagnosis: Diagnosis?
  /// Earlier candidates, oldest first.
  package var history: [CandidateRecord]
  package var documents: [KnowledgeDocument]
  package var space: ScheduleSpace

  package init(
    spec: String, hardware: HardwareDescription, parent: Parent, diagnosis: Diagnosis?,
    history: [CandidateRecord], documents: [KnowledgeDocument], space: ScheduleSpace
  ) {
    self.spec = spec
    self.hardware = hardware
    self.parent = parent
    self.diagnosis = diagnosis
    self.history = history
    self.documents = documents
    self.space = space
  }

  /// The candidate to improve.
  package struct Parent: Sendable {
    package var schedule: Schedule
    package var source: KernelSource
    package var outcome: CandidateOutcome

    package init(schedule: Schedule, source: KernelSource, outcome: CandidateOutcome) {
      self.schedule = schedule
      self.source = source
      self.outcome = outcome
    }
  }
}

/// Writes prompts.
package struct PromptSynthesis: Sendable {
  /// The most bytes of one source, log or page; what is cut is marked.
  package var sectionLimit: Int
  /// How many candidates of the history are told: the fittest and the latest.
  package var historyLimit: Int

  package init(sectionLimit: Int = 12_000, historyLimit: Int = 12) {
    self.sectionLimit = sectionLimit
    self.historyLimit = historyLimit
  }

  /// The prompt: equal contexts give equal text.
  package func text(for context: PromptContext) -> String {
    let sections = [
      task(context), hardware(context.hardware), diagnosis(context.diagnosis),
      parent(context.parent), space(context.space), history(context.history),
      documents(context.documents), Self.answerFormat,
    ]
    return sections.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private func task(_ context: PromptContext) -> String {
    """
    # Task
    Propose a schedule that makes this kernel faster on the hardware below. Its results must stay correct.

    \(context.spec)
    """
  }

  private func hardware(_ hardware: HardwareDescription) -> String {
    let tuning = hardware.tuning
    let caches = tuning.cacheBytes.map { "\($0 / 1024) KiB" }.joined(separator: ", ")
    return """
      # Hardware
      \(tuning.model), \(tuning.architecture), \(tuning.threads) threads
      vector registers: \(tuning.vectorRegisters) of \(tuning.vectorBytes) bytes
      caches (level 1 data, 2, 3): \(caches)
      features: \(tuning.vectorFeatures.joined(separator: " "))
      """
  }

  private func diagnosis(_ diagnosis: Diagnosis?) -> String {
    guard let diagnosis else { return "" }
    func microseconds(_ seconds: Double) -> Int { Int(exactly: (seconds * 1e6).rounded()) ?? 0 }
    let percent = Int(exactly: (diagnosis.rooflineFraction * 100).rounded()) ?? 0
    return """
      # Where the time goes
      Bound by \(diagnosis.bottleneck.rawValue); \(percent) % of the measured ceiling.
      measured \(microseconds(diagnosis.measuredSeconds)) us, \
      arithmetic alone \(microseconds(diagnosis.arithmeticSeconds)) us, \
      traffic alone \(microseconds(diagnosis.trafficSeconds)) us
      """
  }

  private func parent(_ parent: PromptContext.Parent) -> String {
    """
    # The kernel to improve
    schedule: \(parent.schedule.promptText)
    outcome: \(cut(parent.outcome.promptText))

    ```\(parent.source.language.rawValue)
    \(cut(parent.source.text))
    ```
    """
  }

  private func space(_ space: ScheduleSpace) -> String {
    var lines = ["# Schedules that are possible"]
    for kernel in space.kernels {
      lines.append("kernel \(kernel.name)")
      for sketch in kernel.sketches {
        lines.append("  sketch \(sketch.sketch)")
        lines += sketch.parameters.map { "    \($0.name): \($0.values)" }
      }
    }
    lines += space.build.map { "build \($0.name): \($0.values)" }
    return lines.joined(separator: "\n")
  }

  private func history(_ history: [CandidateRecord]) -> String {
    guard !history.isEmpty else { return "" }
    let fittest = history.sorted {
      $0.outcome.fitness == $1.outcome.fitness
        ? $0.id < $1.id : $0.outcome.fitness > $1.outcome.fitness
    }
    let half = max(1, historyLimit / 2)
    let told = Set(fittest.prefix(half).map(\.id) + history.suffix(half).map(\.id))
    let lines = history.filter { told.contains($0.id) }.map { candidate in
      let outcome = candidate.outcome.promptText.prefix(200).split(separator: "\n").first ?? ""
      return "\(candidate.id) \(candidate.schedule.promptText): \(outcome)"
    }
    return (["# What was tried"] + lines).joined(separator: "\n")
  }

  private func documents(_ documents: [KnowledgeDocument]) -> String {
    guard !documents.isEmpty else { return "" }
    let pages = documents.map { "## \($0.title)\n\(cut($0.body))" }
    return (["# Advice"] + pages).joined(separator: "\n")
  }

  private func cut(_ text: String) -> String {
    guard text.utf8.count > sectionLimit else { return text }
    return String(decoding: text.utf8.prefix(max(0, sectionLimit)), as: UTF8.self) + "\n[cut]"
  }

  private static let answerFormat = """
    # Answer
    One JSON object and nothing else: {"kernels": [{"sketch": "...", "parameters": {"name": value}}], \
    "build": {"name": value}}
    """
}

extension Schedule {
  /// The schedule in one line, parameters sorted by name.
  var promptText: String {
    let kernels = kernels.map { "\($0.sketch)(\($0.parameters.promptText))" }
    let build = build.isEmpty ? [] : ["build(\(build.promptText))"]
    return (kernels + build).joined(separator: " ")
  }
}

extension [String: Int] {
  fileprivate var promptText: String {
    sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}

extension CandidateOutcome {
  fileprivate var promptText: String {
    switch self {
    case .illegal(let reason): "refused: \(reason)"
    case .compileFailed(let log): "did not compile: \(log)"
    case .runFailed(let reason): "failed when run: \(reason)"
    case .incorrect(let reason): "wrong result: \(reason)"
    case .duplicate(let original, let fitness):
      "same binary as candidate \(original), speedup \(fitness)"
    case .measured(_, let fitness, let nanoseconds): "speedup \(fitness), \(nanoseconds) ns"
    }
  }
}
