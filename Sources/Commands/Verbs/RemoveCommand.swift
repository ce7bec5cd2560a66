import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary rm`.
struct RemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rm", abstract: "Remove entries.")

  @Argument(help: "Kernel keys, or the beginnings of some.") var keys: [String]
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      var reports: [ChangeReport] = []
      for key in keys {
        reports.append(try client.remove(key: try KeyPrefix.resolve(key, client)))
      }
      if connection.json { try Terminal.say(json: reports) }
    }
  }
}
