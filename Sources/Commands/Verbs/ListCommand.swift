import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary ls`.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the entries of the cache.",
    discussion: """
        granary ls
        granary ls --json
      """)

  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.entries()
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.entries(answer))
      }
    }
  }
}
