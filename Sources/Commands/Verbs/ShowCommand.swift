import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary show`.
struct ShowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show all that is known about a key.",
    discussion: """
        granary show 3fa9c2d1
      """)

  @Argument(help: "A kernel key, or the beginning of one.") var key: String
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.detail(key: try KeyPrefix.resolve(key, client))
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.detail(answer))
      }
    }
  }
}
