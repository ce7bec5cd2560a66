import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary hardware`.
struct HardwareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hardware", abstract: "Show the machine as the cache sees it.",
    discussion: """
        granary hardware --json
      """)

  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.hardware()
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.hardware(answer))
      }
    }
  }
}
