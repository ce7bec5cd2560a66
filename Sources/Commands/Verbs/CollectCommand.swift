import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary gc`.
struct CollectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gc", abstract: "Remove entries by size, age, staleness or kind.",
    discussion: """
      Limits are about the entries that every filter names. With filters and no limit, all of these entries go;
      without both, the daemon's own limits hold, by which it collects in the background too. What took longest to
      find goes last. What is pinned, leased, named by a lock file or searched for never goes.

        granary gc --dry-run
        granary gc --max-size 2G --older-than 30d
        granary gc --stale --dry-run --json
        granary gc --stale-for generator,compiler
        granary gc --namespace team-a --max-size 500M
        granary gc --op softmax --toolchain "clang version 14"
      """)

  @Option(help: "The bytes that may stay, such as 500M or 2G.") var maxSize: ByteCount?
  @Option(help: "The number of entries that may stay.") var maxEntries: Int?
  @Option(help: "Remove what nobody used for this long, such as 12h or 30d.")
  var olderThan: TimeSpan?
  @Flag(help: "Only what is stale, for any reason; see 'granary stale'.") var stale = false
  @Option(help: "Only what is stale for one of these reasons, with commas between.")
  var staleFor: String?
  @Option(help: "Only entries of hardware whose identity contains this.") var hardware: String?
  @Option(help: "Only entries whose spec has this operator.") var op: String?
  @Option(help: "Only entries that a compiler made whose name contains this.")
  var toolchain: String?
  @Option(help: "Only entries of this namespace.") var namespace: String?
  @Flag(help: "Say what would go, and remove nothing.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      client.timeoutSeconds = max(connection.timeout, 3600)
      let answer = try client.collect(request)
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(Format.collection(answer, dryRun: dryRun))
      }
    }
  }

  private var request: CollectRequest {
    let reasons = staleFor.map { $0.split(separator: ",").map(String.init) }
    return CollectRequest(
      maximumBytes: maxSize?.bytes, maximumEntries: maxEntries,
      unusedSeconds: olderThan?.seconds, stale: reasons ?? (stale ? [] : nil), hardware: hardware,
      operator: op, toolchain: toolchain, namespace: namespace, dryRun: dryRun)
  }
}
