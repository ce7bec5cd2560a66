import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary lock`: writes down what specs are resolved to now.
struct LockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lock", abstract: "Write a file that names the kernels that specs get now.",
    discussion: """
      'granary get --lock FILE' then serves exactly these revisions, or fails. Commit the file with the build that
      it belongs to. With --pin the daemon keeps the revisions, and serves them to everybody, until
      'granary pin --remove'.

        granary lock model.jsonl -o granary.lock --pin
        granary get model.jsonl --lock granary.lock
      """)

  @Argument(help: "A file, - for standard input, or the text form of a spec.")
  var specs: [String]
  @Option(name: .shortAndLong, help: "The file to write; without it, standard output.")
  var output: String?
  @Flag(help: "Pin every kernel as well.") var pin = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let sources = try SpecSource.read(specs)
      let client = try connection.connect()
      var file = try resolve(sources, client)
      if pin {
        for kernel in file.kernels { _ = try client.pin(key: kernel.key, true) }
        // A search may have ended in between: what is pinned is what is locked.
        file = try resolve(sources, client)
      }
      guard let output else { return try Terminal.say(json: file) }
      try Files.write(try WireJSON.encode(file, pretty: true) + [10], to: output)
      if connection.json { try Terminal.say(json: file) }
    }
  }

  private func resolve(_ sources: [SpecSource], _ client: DaemonClient) throws(ServiceError)
    -> LockFile
  {
    let answers = try client.resolve(sources.map(\.text), policy: .baseline)
    if let error = SpecSource.failure(in: answers, for: sources) { throw error }
    return try LockFile(answers)
  }
}
