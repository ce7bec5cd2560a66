import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary fsck`.
struct CheckStoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck", abstract: "Check every stored byte against its digest.",
    discussion: """
      What is damaged is never served. --repair takes it from the records beside the index where these have it, and
      else makes room for it to be made anew; the damaged bytes go to the folder 'quarantine' of the store with the
      reason. Exits with 0 when all is sound or was repaired, 4 when something is damaged, 5 when damage is left
      after a repair.

        granary fsck
        granary fsck --repair --json
      """)

  @Flag(help: "Restore what is damaged, or remove it.") var repair = false
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
      if report.sound || report.repaired { return }
      throw ExitCode(repair ? CommandFailure.damageLeft : CommandFailure.damageFound)
    }
  }
}
