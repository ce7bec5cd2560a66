import ArgumentParser
import DaemonAPI
import DaemonClient
import KernelSpec

/// `granary get`: what the cache has for specs, in one round trip.
struct GetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "get", abstract: "Get the kernels of specs.",
    discussion: """
        granary get "softmax(x: f32[4096,1024], dim: -1)"
        granary get model.jsonl --policy tuned --wait 60 -o kernels
        granary get model.jsonl --locked --json
      """)

  @Argument(help: "A file, - for standard input, or the text form of a spec.")
  var specs: [String]
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var waiting: WaitOptions
  @Option(name: .customShort("o"), help: "Write each artifact and its manifest here.")
  var outputFolder: String?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let sources = try SpecSource.read(specs)
      let client = try connection.connect()
      let answers = try client.resolve(
        sources.map(\.text), policy: policy.policy(waiting),
        deadlineMilliseconds: waiting.milliseconds(timeout: connection.timeout),
        lock: try policy.lockFile(), namespace: policy.namespace)
      if let outputFolder { try save(answers, outputFolder, client) }
      if connection.json {
        try Terminal.say(json: answers)
      } else {
        Terminal.say(Format.answers(answers))
      }
      if let error = SpecSource.failure(in: answers, for: sources) { throw error }
    }
  }

  private func save(_ answers: [KernelAnswer], _ folder: String, _ client: DaemonClient)
    throws(ServiceError)
  {
    try Files.makeFolder(folder)
    let digests = Set(answers.compactMap(\.artifact)).sorted()
    for (digest, blob) in zip(digests, try client.artifacts(digests)) {
      guard let blob else {
        throw ServiceError(.notFound, "the artifact \(digest) was collected meanwhile")
      }
      try Files.write(blob, to: "\(folder)/\(digest).so")
      if let manifest = answers.first(where: { $0.artifact == digest })?.manifest,
        let json = try? WireJSON.encode(manifest, pretty: true)
      {
        try Files.write(json, to: "\(folder)/\(digest).json")
      }
    }
  }
}
