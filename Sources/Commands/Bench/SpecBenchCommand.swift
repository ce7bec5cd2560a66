import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc
import KernelSpec

/// `granary bench specs`: the first answer and the search of every spec of a file, as a table.
struct SpecBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "specs",
    abstract: "Ask for every spec of a file, and say how fast it came and is.",
    discussion: """
      Asks for the specs one after the other and prints a row for each as it goes: whether there is a verified kernel,
      how long the first answer took, and how long a call takes; with --search also what a search of so many seconds
      made of it, measured beside the baseline. First answers are those of an empty store, and measurements are true
      only when the daemon does nothing else:

        granaryd --home /tmp/bench --search-seconds 0 &
        GRANARY_HOME=/tmp/bench granary bench specs kernelbench.jsonl --search 20 --results table.jsonl

      With --results, each row is written to that file at once, and a run that was ended goes on where it stopped.
      Exits with 0 when every spec has a verified kernel and none became slower, else with 1.
      """)

  @Argument(help: "Files of specs: JSON lines, or text forms, one a line.") var files: [String]
  @Option(help: "Search this many seconds for each; not at all unless told.") var search: Double?
  @Option(help: "Keep the rows in this file, and leave out specs that it has.") var results: String?
  @Option(help: "Only specs whose name contains this; may be repeated.") var only: [String] = []
  @Option(help: "Timed calls of each kernel, at most.") var rounds = 50
  @Flag(help: "Do not call the kernels here.") var noTiming = false
  @OptionGroup var connection: ConnectionOptions

  mutating func validate() throws {
    guard search.map({ $0 > 0 }) ?? true, rounds > 0 else {
      throw ValidationError("--search and --rounds take numbers above 0")
    }
  }

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      client.timeoutSeconds = max(connection.timeout, 3600)
      try warn(client)
      var outcomes = try earlierOutcomes()
      let known = Set(outcomes.map(\.name))
      if !connection.json { Terminal.say(Format.specHeader) }
      for source in try SpecSource.read(files) {
        let name = try source.checked().name
        guard !known.contains(name), only.isEmpty || only.contains(where: name.contains) else {
          continue
        }
        let outcome = outcome(of: source.text, name, client)
        try keep(outcome)
        try say(outcome)
        outcomes.append(outcome)
      }
      let summary = SpecSummary(outcomes)
      if connection.json {
        try Terminal.say(json: summary)
      } else {
        Terminal.say(Format.summary(summary))
      }
      guard summary.failures.isEmpty else { throw ExitCode(1) }
    }
  }

  /// Says so when the daemon will search for what it is asked for, beside the measurements.
  private func warn(_ client: DaemonClient) throws(ServiceError) {
    let settings = try client.configuration().settings
    guard let value = settings.first(where: { $0.name == "search_seconds" })?.value,
      Double(value) != 0
    else { return }
    Terminal.complain(
      "granary: the daemon searches unasked, which disturbs measurements; start one with "
        + "--search-seconds 0")
  }

  private func outcome(of spec: String, _ name: String, _ client: DaemonClient) -> SpecOutcome {
    var outcome = SpecOutcome(name: name, isVerified: false)
    do throws(ServiceError) {
      let start = ContinuousClock.now
      let answer = try first(client.resolve([spec], policy: .baseline))
      let time = (ContinuousClock.now - start) / Duration.milliseconds(1)
      if answer.status == .baseline { outcome.firstAnswerMilliseconds = time }
      let baseline = try artifact(of: answer, client)
      outcome.isVerified = true
      outcome.workspaceBytes = baseline.manifest.interface.workspaceBytes
      var artifacts = [baseline]
      if let search {
        try client.tune(TuneRequest(spec: spec, seconds: search)) { _ in }
        artifacts.append(
          try artifact(of: first(client.resolve([spec], policy: .cached)), client))
      }
      if noTiming { return outcome }
      let watch = KernelStopwatch(baseline.manifest.interface, rounds: rounds)
      let times = try watch.microseconds(of: artifacts)
      outcome.baselineMicroseconds = times.first
      // The search may have found nothing better: then both are one kernel, and their times differ by noise alone.
      let isSame = artifacts.last?.manifest.digest == baseline.manifest.digest
      if search != nil { outcome.tunedMicroseconds = isSame ? times.first : times.last }
    } catch {
      outcome.reason = error.message
    }
    return outcome
  }

  private func first(_ answers: [KernelAnswer]) throws(ServiceError) -> KernelAnswer {
    guard let answer = answers.first else {
      throw ServiceError(.internalError, "the daemon gave no answer")
    }
    if let error = answer.error { throw error }
    return answer
  }

  private func artifact(of answer: KernelAnswer, _ client: DaemonClient) throws(ServiceError)
    -> Artifact
  {
    guard let digest = answer.artifact, let manifest = answer.manifest else {
      throw ServiceError(.notFound, "no kernel is served: \(answer.status.rawValue)")
    }
    return Artifact(manifest: manifest, bytes: try client.artifact(digest))
  }

  private func say(_ outcome: SpecOutcome) throws {
    if connection.json {
      Terminal.say(String(decoding: try WireJSON.encode(outcome), as: UTF8.self))
    } else {
      Terminal.say(Format.outcome(outcome))
    }
  }

  // MARK: - Rows that are kept

  private func earlierOutcomes() throws -> [SpecOutcome] {
    guard let results, access(results, F_OK) == 0 else { return [] }
    return try Files.read(results).split(separator: UInt8(ascii: "\n")).map {
      try WireJSON.decode(SpecOutcome.self, from: $0)
    }
  }

  private func keep(_ outcome: SpecOutcome) throws {
    guard let results else { return }
    let file = open(results, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw ServiceError(.environment, "cannot write \(results)") }
    defer { close(file) }
    Terminal.put(String(decoding: try WireJSON.encode(outcome), as: UTF8.self) + "\n", file)
  }
}
