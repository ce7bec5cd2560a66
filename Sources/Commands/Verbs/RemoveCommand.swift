import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary rm`.
struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove entries.",
    discussion: """
      The bytes go with the next collection.

        granary rm --dry-run 3fa9c2d1 77ab01
        granary rm 3fa9c2d1
      """)

  @Argument(help: "Kernel keys, or the beginnings of some.") var keys: [String]
  @Flag(help: "Say what would go, and remove nothing.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      // All keys first: one that is wrong must not leave half of them removed.
      var whole: [String] = []
      for key in keys { whole.append(try KeyPrefix.resolve(key, client)) }
      if dryRun { return try say(whole, client) }
      var reports: [ChangeReport] = []
      for key in whole { reports.append(try client.remove(key: key)) }
      if connection.json { try Terminal.say(json: reports) }
    }
  }

  private func say(_ keys: [String], _ client: DaemonClient) throws {
    let entries = try client.entries().filter { keys.contains($0.key) }
    if connection.json {
      try Terminal.say(json: entries.map { ChangeReport(key: $0.key, changed: true) })
    } else {
      Terminal.say(Format.entries(entries))
    }
  }
}
