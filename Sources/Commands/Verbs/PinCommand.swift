import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary pin`.
struct PinCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin", abstract: "Keep an entry from being collected or replaced.",
    discussion: """
        granary pin 3fa9c2d1
        granary pin 3fa9c2d1 --revision 2
        granary pin --remove 3fa9c2d1
      """)

  @Argument(help: "A kernel key, or the beginning of one.") var key: String
  @Option(help: "The revision to serve from now on; without it, what is served now.")
  var revision: Int?
  @Flag(help: "Let it go again.") var remove = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let report = try client.pin(
        key: try KeyPrefix.resolve(key, client), !remove, revision: revision)
      if connection.json { try Terminal.say(json: report) }
    }
  }
}
