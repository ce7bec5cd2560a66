import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary fsck`.
struct CheckStoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck", abstract: "Check every stored byte against its digest.",
    discussion: """
      Exits with 1 when something is damaged and was not repaired. What is damaged is never served: --repair
      only makes room for it to be made anew.

        granary fsck
        granary fsck --repair --json
      """)

  @Flag(help: "Put what is damaged in quarantine.") var repair = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let report = try client.verify(VerifyRequest(repair: repair))
      if connection.json {
        try Terminal.say(json: report)
      } else {
        Terminal.say(Format.verification(report))
      }
      guard report.sound || report.repaired else { throw ExitCode(1) }
    }
  }
}
