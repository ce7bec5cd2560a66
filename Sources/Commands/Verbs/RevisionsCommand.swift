import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary revisions`.
struct RevisionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revisions", abstract: "List the revisions of an entry, or compare two.",
    discussion: """
      The star marks what is served.

        granary revisions 3fa9c2d1
        granary revisions 3fa9c2d1 --diff 2,5
      """)

  @Argument(help: "A kernel key, or the beginning of one.") var key: String
  @Option(help: "Two revisions with a comma between: what differs, and their sources.")
  var diff: String?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let whole = try KeyPrefix.resolve(key, client)
      let revisions = try client.revisions(key: whole)
      guard !revisions.isEmpty else {
        throw ServiceError(.notFound, "no entry has the key \(whole)")
      }
      if let diff { return try compare(diff, revisions) }
      if connection.json { return try Terminal.say(json: revisions) }
      Terminal.say(Format.revisions(revisions))
    }
  }

  private func compare(_ text: String, _ revisions: [RevisionSummary]) throws {
    let numbers = text.split(separator: ",").compactMap { Int($0) }
    guard numbers.count == 2 else {
      throw ServiceError(.badRequest, "--diff takes two revisions, such as 2,5")
    }
    let found = try numbers.map { number in
      guard let revision = revisions.first(where: { $0.number == number }) else {
        throw ServiceError(.notFound, "there is no revision \(number)")
      }
      return revision
    }
    let difference = RevisionDifference(found[0], found[1])
    if connection.json { return try Terminal.say(json: difference) }
    Terminal.say(difference.text)
  }
}

/// `granary rollback`.
struct RollbackCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback", abstract: "Serve an old revision again.",
    discussion: """
      The old revision is published under a new number, so lock files that name the later ones still hold. Without
      --to it is the one before what is served. A pinned entry goes on serving what is pinned.

        granary rollback 3fa9c2d1
        granary rollback 3fa9c2d1 --to 2 --json
      """)

  @Argument(help: "A kernel key, or the beginning of one.") var key: String
  @Option(help: "The revision to go back to.") var to: Int?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let report = try client.rollBack(key: try KeyPrefix.resolve(key, client), to: to)
      if connection.json { return try Terminal.say(json: report) }
      Terminal.say("revision \(report.restored) is served again, as revision \(report.revision)")
    }
  }
}
