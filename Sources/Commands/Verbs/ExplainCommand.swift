import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary explain`.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Say why a kernel is served, or why there is none.",
    discussion: """
      Of a request, its reasons as they were known then, and what holds now.

        granary explain "softmax(x: f32[4096,1024], dim: -1)"
        granary explain 3fa9c2d1
        granary explain r17        # the "request" of an answer of 'granary get --json'
      """)

  @Argument(help: "A spec, a kernel key or the beginning of one, or the name of a request.")
  var subject: String
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try explanation(client)
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.explanation(answer))
      }
    }
  }

  private func explanation(_ client: DaemonClient) throws(ServiceError) -> Explanation {
    if subject.first == "r", Int64(subject.dropFirst()) != nil {
      return try client.explain(request: subject)
    }
    if subject.count >= 6, subject.allSatisfy(\.isHexDigit) {
      return try client.explain(key: try KeyPrefix.resolve(subject, client))
    }
    return try client.explain(spec: try SpecSource.one(subject).text)
  }
}
