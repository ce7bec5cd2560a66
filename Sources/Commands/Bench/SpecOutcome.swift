import Glibc
import Support

/// What became of one spec in a run over many.
struct SpecOutcome: Sendable, Hashable, Codable {
  var name: String
  /// Whether there is a kernel: none is served that was not verified.
  var isVerified: Bool
  /// Why there is none, or why it could not be called or searched for.
  var reason: String?
  /// From the request to the answer, when the kernel was made for it.
  var firstAnswerMilliseconds: Double?
  /// One call of the first answer's kernel.
  var baselineMicroseconds: Double?
  /// One call of the kernel that is served after the search, measured beside the baseline's.
  var tunedMicroseconds: Double?
  /// The memory that the kernel takes beside inputs and outputs.
  var workspaceBytes: Int?

  var speedup: Double? {
    guard let baselineMicroseconds, let tunedMicroseconds, tunedMicroseconds > 0 else { return nil }
    return baselineMicroseconds / tunedMicroseconds
  }

  /// Whether what the search found is slower than what there was, beyond the noise of two measurements.
  var isSlower: Bool { speedup.map { $0 < 1 / Self.noise } ?? false }

  private static let noise = 1.1
}

/// What became of all.
struct SpecSummary: Sendable, Hashable, Codable {
  var specs = 0
  var verified = 0
  var medianFirstAnswerMilliseconds: Double?
  var largestFirstAnswerMilliseconds: Double?
  /// Those that were searched for, and those of them that became slower.
  var searched = 0
  var slower = 0
  var geometricMeanSpeedup: Double?
  /// The names of all that are not verified, or slower.
  var failures: [String] = []

  init(_ outcomes: [SpecOutcome]) {
    specs = outcomes.count
    verified = outcomes.count(where: \.isVerified)
    let first = outcomes.compactMap(\.firstAnswerMilliseconds)
    if let largest = first.max() {
      medianFirstAnswerMilliseconds = first.median
      largestFirstAnswerMilliseconds = largest
    }
    let speedups = outcomes.compactMap(\.speedup)
    searched = speedups.count
    slower = outcomes.count(where: \.isSlower)
    if !speedups.isEmpty {
      geometricMeanSpeedup = speedups.geometricMean
    }
    failures = outcomes.filter { !$0.isVerified || $0.isSlower }.map(\.name)
  }
}

extension Format {
  /// The widths of the columns of `granary bench specs`, which prints each row as soon as it is known.
  private static let specColumns = [
    ("SPEC", 28), ("VERIFIED", 8), ("FIRST ms", 9), ("BASELINE us", 12), ("TUNED us", 12),
    ("SPEEDUP", 7), ("WORKSPACE", 10),
  ]

  static var specHeader: String { row(specColumns.map(\.0)) }

  static func outcome(_ outcome: SpecOutcome) -> String {
    let cells = [
      outcome.name, outcome.isVerified ? "yes" : "no",
      optional(outcome.firstAnswerMilliseconds, digits: 0), optional(outcome.baselineMicroseconds),
      optional(outcome.tunedMicroseconds), optional(outcome.speedup, digits: 2, suffix: "x"),
      outcome.workspaceBytes.map(bytes) ?? "-",
    ]
    let notes = [outcome.isSlower ? "slower" : nil, outcome.reason].compactMap { $0 }
    return ([row(cells)] + notes).joined(separator: "  ")
  }

  private static func row(_ cells: [String]) -> String {
    zip(cells, specColumns).map { cell, column in
      cell + String(repeating: " ", count: max(0, column.1 - cell.count))
    }.joined(separator: "  ")
  }

  static func summary(_ summary: SpecSummary) -> String {
    var lines = ["\(summary.verified) of \(summary.specs) specs verified"]
    if let median = summary.medianFirstAnswerMilliseconds,
      let largest = summary.largestFirstAnswerMilliseconds
    {
      lines.append(
        "first answer: median \(number(median, digits: 0)) ms, "
          + "largest \(number(largest, digits: 0)) ms")
    }
    if let mean = summary.geometricMeanSpeedup {
      lines.append(
        "after a search: \(summary.slower) of \(summary.searched) slower than the baseline, "
          + "geometric mean \(number(mean, digits: 2))x")
    }
    if !summary.failures.isEmpty {
      lines.append("not verified, or slower: " + summary.failures.joined(separator: ", "))
    }
    return lines.joined(separator: "\n")
  }
}

extension [Double] {
  /// Of positive numbers.
  fileprivate var geometricMean: Double { exp(reduce(0) { $0 + log($1) } / Double(count)) }
}
