import ArgumentParser
import DaemonAPI
import DaemonClient
import KernelSpec

/// `granary demo`: asks for specs that are missing, tunes each, and asks again.
struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Show the whole way: a miss, a search, a hit.",
    discussion: """
      Needs a daemon with an empty store, best in a directory of its own:
        GRANARY_HOME=$(mktemp -d) granary demo specs.jsonl --seconds 10
      """)

  @Argument(help: "A file of specs, one a line.") var specs: String
  @Option(help: "The longest time to search for each spec.") var seconds = 15.0
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let specs = try SpecSource.read(specs).map(\.text)
      let client = try connection.connect()
      Terminal.complain("Asking for \(specs.count) kernels that the cache does not have…")
      var first: [KernelAnswer] = []
      for spec in specs { first += try client.resolve([spec], policy: .baseline) }
      if let error = first.lazy.compactMap(\.error).first { throw error }
      var rows: [DemoRow] = []
      for (position, spec) in specs.enumerated() {
        let answer = first[position]
        Terminal.complain("[\(position + 1)/\(specs.count)] tuning \(answer.name ?? spec)")
        var candidates = 0
        try client.tune(TuneRequest(spec: spec, seconds: seconds)) { event in
          candidates = max(candidates, event.candidates)
        }
        rows.append(DemoRow(first: answer, candidates: candidates))
      }
      let again = try specs.map { try client.resolve([$0], policy: .baseline) }.flatMap { $0 }
      for position in rows.indices { rows[position].second = again[position] }
      try show(rows, statistics: try client.statistics())
    }
  }

  private func show(_ rows: [DemoRow], statistics: Statistics) throws {
    if connection.json {
      try Terminal.say(json: rows.compactMap(\.second))
      return
    }
    Terminal.say(DemoRow.table(rows))
    Terminal.say("")
    Terminal.say(DemoRow.hits(rows))
    Terminal.say(
      "The store holds \(statistics.entries) entries in \(Format.bytes(statistics.bytesCompressed)) "
        + "(\(Format.bytes(statistics.bytesUncompressed)) before compression).")
    Terminal.say(
      """
      Next: granary get "softmax(x: f32[4096,1024], dim: -1)", granary explain SPEC, granary help.
      """)
  }
}

/// What the demonstration saw of one spec.
struct DemoRow {
  /// The answer to the first request, which was a miss.
  var first: KernelAnswer
  var candidates: Int
  /// The answer after the search.
  var second: KernelAnswer?

  static func table(_ rows: [DemoRow]) -> String {
    Format.table(
      [
        "OPERATOR", "VERDICT", "FIRST ANSWER", "BASELINE us", "TUNED us", "SPEEDUP", "ROOFLINE",
        "CANDIDATES",
      ],
      rows.map { row in
        let answer = row.second
        return [
          row.first.name ?? "-", answer?.verdict?.rawValue ?? "-",
          Format.number(row.first.latencyMicroseconds / 1000, digits: 0) + " ms",
          Format.optional(answer?.baselineMicroseconds),
          Format.optional(answer?.kernelMicroseconds),
          Format.optional(answer?.speedup, digits: 2, suffix: "x"),
          Format.share(answer?.rooflineFraction), "\(row.candidates)",
        ]
      })
  }

  /// How fast the second answers came.
  static func hits(_ rows: [DemoRow]) -> String {
    let latencies = rows.compactMap(\.second?.latencyMicroseconds).sorted()
    let hits = rows.filter { $0.second?.status == .hit }.count
    guard let fastest = latencies.first, let slowest = latencies.last else { return "" }
    return "Asked again: \(hits) of \(rows.count) hits, in \(Format.number(fastest)) to "
      + "\(Format.number(slowest)) us each in the daemon."
  }
}
