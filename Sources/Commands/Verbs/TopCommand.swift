import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary top`.
struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Show the counters again and again.")

  @Option(help: "Seconds between two looks.") var interval = 1.0
  @Option(help: "How many looks; without it, until the terminal ends it.") var count: Int?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      var looks = 0
      while count.map({ looks < $0 }) ?? true {
        let statistics = try client.statistics()
        if connection.json {
          try Terminal.say(json: statistics)
        } else {
          Terminal.say("\u{1B}[H\u{1B}[2J" + Format.statistics(statistics))
        }
        looks += 1
        poll(nil, 0, Int32(max(0.1, min(interval, 3600)) * 1000))
      }
    }
  }
}
