import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary stats`.
struct StatisticsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Show the counters of the daemon.",
    discussion: """
        granary stats --json
        granary stats --prometheus
      """)

  @Flag(help: "Print Prometheus text.") var prometheus = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      if prometheus { return Terminal.put(try client.metrics(), 1) }
      let answer = try client.statistics()
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.statistics(answer))
      }
    }
  }
}
