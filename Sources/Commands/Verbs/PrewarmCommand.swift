import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary prewarm`: makes sure that every kernel of a manifest is there and, if wanted, tuned.
struct PrewarmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prewarm", abstract: "Fill the cache before a build needs it.",
    discussion: """
      Specs are sent in groups, which the daemon works on side by side. What is there already costs nothing, so a
      prewarming that was ended is gone on with by starting it again. With --from, what is there afterwards is
      compared with the lock file: exits with 1 when it differs.

        granary prewarm model.jsonl --wait
        granary prewarm --from granary.lock
        granary prewarm --from-trace --since 7d --wait --jobs 4
      """)

  @Argument(help: "Files of specs: JSON lines, or text forms, one a line.") var files: [String] = []
  @Option(help: "A file of specs; the same as naming it.") var manifest: String?
  @Option(help: "The specs of this lock file.") var from: String?
  @Flag(help: "What the daemon was asked for in the time of --since.") var fromTrace = false
  @Option(help: "With --from-trace, how far to look back.") var since = TimeSpan(seconds: 604_800)
  @Option(help: "How many specs are worked on at a time.") var jobs = 16
  @Flag(help: "Wait until every search has ended.") var wait = false
  @Option(help: "Whose entries those become that are new.") var namespace: String?
  @OptionGroup var connection: ConnectionOptions

  mutating func validate() throws {
    guard [!files.isEmpty, manifest != nil, from != nil, fromTrace].count(where: { $0 }) == 1 else {
      throw ValidationError("name a file of specs, or give one of --manifest, --from, --from-trace")
    }
    guard jobs > 0 else { throw ValidationError("--jobs takes at least 1") }
  }

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      client.timeoutSeconds = max(connection.timeout, 3600)
      let lock = try from.map { try LockFile(parsing: try Files.read($0), name: $0) }
      let sources = try sources(lock, client)
      let answers = try resolve(sources, client)
      if connection.json {
        try Terminal.say(json: answers)
      } else {
        Terminal.say(Format.answers(answers))
      }
      if let error = SpecSource.failure(in: answers, for: sources) { throw error }
      if let lock { try compare(lock, client) }
    }
  }

  private func sources(_ lock: LockFile?, _ client: DaemonClient) throws -> [SpecSource] {
    if let lock, let from {
      return try lock.kernels.map { kernel in
        guard let spec = kernel.spec else {
          throw ServiceError(
            .badRequest, "\(from) has no specs; write it again with 'granary lock'")
        }
        return SpecSource(origin: "\(from): \(kernel.name ?? kernel.key)", text: spec)
      }
    }
    if fromTrace {
      let earliest = Double(time(nil)) - since.seconds
      return try client.entries().filter { $0.lastUsed >= earliest }.map { entry in
        SpecSource(origin: entry.name, text: try client.detail(key: entry.key).spec)
      }
    }
    return try SpecSource.read(files + [manifest].compactMap { $0 })
  }

  /// One group after the other, and the progress between.
  private func resolve(_ sources: [SpecSource], _ client: DaemonClient) throws -> [KernelAnswer] {
    var answers: [KernelAnswer] = []
    for start in stride(from: 0, to: sources.count, by: jobs) {
      Progress.show(start, of: sources.count, key: "", json: connection.json)
      let group = sources[start..<min(start + jobs, sources.count)]
      answers += try client.resolve(
        group.map(\.text), policy: wait ? .tuned : .baseline,
        deadlineMilliseconds: wait ? 86_400_000 : nil, namespace: namespace)
    }
    Progress.end(json: connection.json)
    return answers
  }

  private func compare(_ lock: LockFile, _ client: DaemonClient) throws {
    let states = try lock.kernels.map { try LockState($0, client.revisions(key: $0.key)) }
    let different = states.filter { !$0.isServed }
    guard !different.isEmpty else { return }
    if !connection.json { Terminal.complain(Format.locks(different)) }
    throw ServiceError(
      .conflict, "\(different.count) of \(states.count) kernels are not what the lock file names")
  }
}
