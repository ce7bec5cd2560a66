import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary top`.
struct TopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Show what the daemon does, again and again.",
    discussion: """
      Rates are those since the look before.

        granary top
        granary top --once --json --interval 5
      """)

  @Option(help: "Seconds between two looks.") var interval = 1.0
  @Option(help: "How many looks; without it, until the terminal ends it.") var count: Int?
  @Flag(help: "One look, after one interval.") var once = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      var before = try client.statistics()
      var looks = 0
      while looks < (once ? 1 : count ?? .max) {
        poll(nil, 0, Int32(max(0.1, min(interval, 3600)) * 1000))
        let statistics = try client.statistics()
        show(Activity(before, statistics, searches: try client.searches()))
        before = statistics
        looks += 1
      }
    }
  }

  private func show(_ activity: Activity) {
    if connection.json, let line = try? WireJSON.encode(activity) {
      Terminal.say(String(decoding: line, as: UTF8.self))
    } else {
      let isLive = !once && Terminal.isOutputInteractive
      Terminal.say((isLive ? "\u{1B}[H\u{1B}[2J" : "") + Format.activity(activity))
    }
  }
}

/// What a daemon did between two looks at its counters, and what it is doing.
struct Activity: Encodable, Equatable {
  var seconds: Double
  var requestsPerSecond: Double
  /// The share of hits among the requests of the interval; absent when there was none.
  var hitRate: Double?
  var candidatesPerSecond: Double
  var searches: [TuneEvent]
  var statistics: Statistics

  init(_ before: Statistics, _ now: Statistics, searches: [TuneEvent]) {
    seconds = max(now.uptimeSeconds - before.uptimeSeconds, 1e-3)
    let requests = max(now.requests - before.requests, 0)
    requestsPerSecond = Double(requests) / seconds
    hitRate = requests > 0 ? Double(max(now.hits - before.hits, 0)) / Double(requests) : nil
    candidatesPerSecond =
      Double(max(now.candidatesEvaluated - before.candidatesEvaluated, 0)) / seconds
    self.searches = searches
    statistics = now
  }
}
