import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary config`.
struct ConfigurationCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Show the settings of the daemon.",
    discussion: """
        granary config --show-origin
      """)

  @Flag(help: "Say where each value comes from.") var showOrigin = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.configuration()
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(
          answer.settings.map { setting in
            "\(setting.name) = \(setting.value)" + (showOrigin ? "  # \(setting.origin)" : "")
          }.joined(separator: "\n"))
      }
    }
  }
}
