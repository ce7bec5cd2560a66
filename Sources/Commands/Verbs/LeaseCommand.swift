import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary lease`.
struct LeaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lease", abstract: "Keep entries from being collected for some time.",
    discussion: """
      Unlike a pin, a lease ends by itself, and newer revisions are served meanwhile.

        granary lease 3fa9c2d1 --for 2d
        granary lease 3fa9c2d1 --holder release-7 --end
      """)

  @Argument(help: "Kernel keys, or the beginnings of some.") var keys: [String]
  @Option(name: .customLong("for"), help: "How long, such as 12h or 2d.")
  var span = TimeSpan(seconds: 86_400)
  @Option(help: "Who needs it; without it, the name of the user's number.") var holder: String?
  @Flag(help: "Give the leases of the holder back.") var end = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let request = LeaseRequest(
        holder: holder ?? "user-\(getuid())", seconds: end ? 0 : span.seconds)
      var reports: [ChangeReport] = []
      for key in keys {
        reports.append(try client.lease(key: try KeyPrefix.resolve(key, client), request))
      }
      if connection.json { try Terminal.say(json: reports) }
    }
  }
}
