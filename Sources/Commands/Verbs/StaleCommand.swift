import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary stale`.
struct StaleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stale", abstract: "List what would be made otherwise today, and why.",
    discussion: """
      A stale kernel is still right, unless its reason is 'evidence': then it is not served. Each reason is listed
      with the number of entries that have it. 'granary verify --stale' checks these kernels again,
      'granary refresh --stale' searches for better ones, 'granary gc --stale' removes them.

        granary stale
        granary stale --reason compiler --json
      """)

  @Option(help: "Only entries that are stale for this reason.") var reason: String?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      var report = try connection.connect().stale()
      if let reason {
        guard report.reasons.contains(where: { $0.reason == reason }) else {
          let known = report.reasons.map(\.reason).joined(separator: ", ")
          throw ServiceError(.badRequest, "'\(reason)' is no reason; there are \(known)")
        }
        report.stale.removeAll { !$0.reasons.contains(reason) }
      }
      if connection.json {
        try Terminal.say(json: report)
      } else {
        Terminal.say(Format.stale(report))
      }
    }
  }
}
