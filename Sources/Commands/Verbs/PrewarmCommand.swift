import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary prewarm`: makes sure that every kernel of a manifest is there and, if wanted, tuned.
struct PrewarmCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prewarm", abstract: "Fill the cache with the specs of a file.",
    discussion: """
        granary prewarm model.jsonl --wait
      """)

  @Argument(help: "A file of specs: JSON lines, or text forms, one a line.") var manifest: String
  @Flag(help: "Wait until every search has ended.") var wait = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let sources = try SpecSource.read(manifest)
      let client = try connection.connect()
      client.timeoutSeconds = max(connection.timeout, 3600)
      let answers = try client.resolve(
        sources.map(\.text), policy: wait ? .tuned : .baseline,
        deadlineMilliseconds: wait ? 86_400_000 : nil)
      if connection.json {
        try Terminal.say(json: answers)
      } else {
        Terminal.say(Format.answers(answers))
      }
      if let error = SpecSource.failure(in: answers, for: sources) { throw error }
    }
  }
}
