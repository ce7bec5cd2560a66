import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary lock`: writes down what specs are resolved to now.
struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Write a file that names the kernels that specs get now.",
    discussion: """
      'granary get --locked' then serves exactly these kernels, or fails and says what differs. Commit the file with
      the build that it belongs to. The daemon keeps what the file names from being collected, as long as the file is
      there. With --pin it also serves these revisions to everybody, until 'granary pin --remove'.

        granary lock model.jsonl -o granary.lock
        granary lock --since 2h --namespace release -o granary.lock
        granary lock --check granary.lock
        granary get model.jsonl --locked
      """)

  @Argument(help: "A file, - for standard input, or the text form of a spec.")
  var specs: [String] = []
  @Option(
    help: "Every entry that was used in this time instead, such as 2h: what a build asked for.")
  var since: TimeSpan?
  @Option(help: "With --since, only entries of this namespace.") var namespace: String?
  @Option(
    help: "Compare this lock file with what is stored, and exit with 1 when it cannot be served.")
  var check: String?
  @Option(name: .shortAndLong, help: "The file to write; without it, standard output.")
  var output: String?
  @Flag(help: "Pin every kernel as well.") var pin = false
  @Flag(help: "Do not keep the kernels from being collected.") var unprotected = false
  @OptionGroup var connection: ConnectionOptions

  mutating func validate() throws {
    guard [!specs.isEmpty, since != nil, check != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("name some specs, or give one of --since and --check")
    }
  }

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      if let check { return try compare(check, client) }
      var file = try written(client)
      if pin {
        for kernel in file.kernels {
          _ = try client.pin(key: kernel.key, true, revision: kernel.revision)
        }
        // A search may have ended in between: what is pinned is what is locked.
        file = try written(client)
      }
      guard let output else { return try Terminal.say(json: file) }
      try Files.write(try WireJSON.encode(file, pretty: true) + [10], to: output)
      if !unprotected, let path = absolute(output) { try protect(path, client) }
      if connection.json { try Terminal.say(json: file) }
    }
  }

  /// Has the store keep what the file names. Who may not administer gets the file without that.
  private func protect(_ path: String, _ client: DaemonClient) throws(ServiceError) {
    do throws(ServiceError) {
      _ = try client.addLockFile(path)
    } catch {
      guard error.code == .forbidden else { throw error }
      Terminal.complain("nothing keeps what the lock file names: \(error.message)")
    }
  }

  private func absolute(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  private func written(_ client: DaemonClient) throws -> LockFile {
    var file = since == nil ? try resolved(client) : try used(client)
    let hardware = Dictionary(
      try client.entries().map { ($0.key, $0.hardware) }, uniquingKeysWith: { first, _ in first })
    for position in file.kernels.indices {
      file.kernels[position].hardware = hardware[file.kernels[position].key]
    }
    return file
  }

  private func resolved(_ client: DaemonClient) throws -> LockFile {
    let sources = try SpecSource.read(specs)
    let answers = try client.resolve(sources.map(\.text), policy: .baseline)
    if let error = SpecSource.failure(in: answers, for: sources) { throw error }
    return try LockFile(answers, specs: sources.map(\.text))
  }

  /// What was used not longer ago than `since`.
  private func used(_ client: DaemonClient) throws -> LockFile {
    let earliest = Double(time(nil)) - (since?.seconds ?? 0)
    let entries = try client.entries().filter {
      $0.lastUsed >= earliest && (namespace == nil || $0.namespace == namespace)
    }
    guard !entries.isEmpty else {
      throw ServiceError(.notFound, "no entry was used in this time; nothing is to be locked")
    }
    return LockFile(
      kernels: try entries.sorted { $0.key < $1.key }.map { entry in
        let detail = try client.detail(key: entry.key)
        return LockFile.Kernel(
          key: entry.key, name: entry.name, revision: detail.entry.revision,
          artifact: detail.artifact, spec: detail.spec)
      })
  }

  private func compare(_ path: String, _ client: DaemonClient) throws {
    let file = try LockFile(parsing: try Files.read(path), name: path)
    let states = try file.kernels.map { try LockState($0, client.revisions(key: $0.key)) }
    if connection.json {
      try Terminal.say(json: states)
    } else {
      Terminal.say(Format.locks(states))
    }
    if !states.allSatisfy(\.isServed) { throw ExitCode(1) }
  }
}

/// What of a lock file's kernel is here.
struct LockState: Encodable, Equatable {
  var key: String
  var name: String?
  /// `served`, `missing`, `withdrawn` or `differs`.
  var state: String
  var locked: String
  var here: String

  var isServed: Bool { state == "served" }

  init(_ kernel: LockFile.Kernel, _ revisions: [RevisionSummary]) {
    key = kernel.key
    name = kernel.name
    let fitting = revisions.filter { revision in
      if let artifact = kernel.artifact { return revision.artifact == artifact }
      return revision.number == kernel.revision
    }
    locked = "revision \(kernel.revision) \(kernel.artifact?.prefix(12) ?? "")"
    here = revisions.map { "revision \($0.number) \($0.artifact.prefix(12))" }
      .joined(separator: ", ")
    state =
      fitting.contains { $0.withdrawn == nil && !$0.onTrial }
      ? "served" : !fitting.isEmpty ? "withdrawn" : revisions.isEmpty ? "missing" : "differs"
  }
}
