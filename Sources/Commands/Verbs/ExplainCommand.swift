import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary explain`.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say why a kernel is served, or why there is none.")

  @Argument(help: "A kernel key, the beginning of one, or a spec.") var subject: String
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let isKey = subject.count >= 6 && subject.allSatisfy(\.isHexDigit)
      let answer: Explanation
      if isKey {
        answer = try client.explain(key: try KeyPrefix.resolve(subject, client))
      } else {
        answer = try client.explain(spec: try SpecSource.one(subject).text)
      }
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.explanation(answer))
      }
    }
  }
}
