import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary gc`.
struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove what was not used for long, and blobs that nothing names.",
    discussion: """
      Without limits, those of the daemon hold. The daemon collects by itself, too: see collect_seconds in
      docs/configuration.md.

        granary gc --dry-run
        granary gc --maximum-bytes 100000000 --unused-seconds 2592000
      """)

  @Option(help: "The size that the store may keep, in bytes.") var maximumBytes: Int?
  @Option(help: "Remove entries that were not used for this many seconds.")
  var unusedSeconds: Double?
  @Flag(help: "Say what would go, and remove nothing.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.collect(
        CollectRequest(
          maximumBytes: maximumBytes, unusedSeconds: unusedSeconds, dryRun: dryRun))
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(
          "\(answer.entriesRemoved) entries and \(answer.blobsRemoved) blobs removed, "
            + "\(Format.bytes(answer.bytesFreed)) freed, \(answer.entriesKept) entries kept")
      }
    }
  }
}
