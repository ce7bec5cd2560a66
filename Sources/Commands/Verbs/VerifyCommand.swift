import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary verify`.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Run the evidence of kernels again on this machine.",
    discussion: """
      Each kernel is run on new inputs and compared with the reference, as before it was first served. One that
      fails is withdrawn: it is never served again, and the next request gets the revision before it, or a new one.
      Exits with 4 when a kernel failed.

        granary verify 3fa9c2d1
        granary verify --sample 20
        granary verify --all --json
      """)

  @OptionGroup var selection: KeySelection
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let keys = try selection.resolve(client)
      var reports: [EvidenceReport] = []
      for (position, key) in keys.enumerated() {
        Progress.show(position, of: keys.count, key: key, json: connection.json)
        reports.append(try client.repeatEvidence(key: key))
      }
      Progress.end(json: connection.json)
      if connection.json {
        try Terminal.say(json: reports)
      } else {
        Terminal.say(Format.evidence(reports))
      }
      if reports.contains(where: { $0.verdict == .failed }) {
        throw ExitCode(CommandFailure.damageFound)
      }
    }
  }
}

/// `granary refresh`.
struct RefreshCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refresh",
    abstract: "Search again, beginning with the champion of the last search.",
    discussion: """
      The searches run in the background, one after the other; 'granary top' shows them. What is served goes on being
      served until something better is confirmed.

        granary refresh 3fa9c2d1
        granary refresh --stale --json
      """)

  @OptionGroup var selection: KeySelection
  @Flag(help: "Say what would be searched for, and begin nothing.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let keys = try selection.resolve(client)
      if dryRun { return try say(try client.entries().filter { keys.contains($0.key) }) }
      var reports: [RefreshReport] = []
      var failures: [ServiceError] = []
      for key in keys {
        do {
          reports.append(try client.refresh(key: key))
        } catch let error as ServiceError {
          // Entries of other hardware are among all of them.
          guard keys.count > 1, error.code == .unsupported else { throw error }
          failures.append(error)
        }
      }
      if connection.json {
        try Terminal.say(json: reports)
      } else {
        for failure in failures { Terminal.complain("granary: \(failure.message)") }
        Terminal.say("\(reports.count) searches queued")
      }
    }
  }

  private func say(_ entries: [EntrySummary]) throws {
    if connection.json { return try Terminal.say(json: entries) }
    Terminal.say(Format.entries(entries))
  }
}
