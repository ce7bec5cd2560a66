import FoundationEssentials
import Optimization
import Support

/// How results are printed.
enum Report {
  private struct Line: Encodable {
    var name: String
    var baseline_seconds: [Double]
    var baseline_stages_seconds: [[String: Double]]
    var search_seconds: Double
    var search_stages_seconds: [String: Double]
    var candidates: Int?
    var candidates_per_second: Double?
    var baseline_microseconds: Double?
    var best_microseconds: Double?
    var speedup: Double?
    var speedup_lower_bound: Double?
    var gain_share_after_10_seconds: Double?
    var verdict: String?
    var termination: String?
  }

  static func json(_ results: [SpecResult]) throws -> String {
    let lines = results.map { result in
      Line(
        name: result.name, baseline_seconds: result.baselineSeconds,
        baseline_stages_seconds: result.baselineStages, search_seconds: result.searchSeconds,
        search_stages_seconds: result.searchStages, candidates: result.last?.candidates,
        candidates_per_second: result.candidatesPerSecond,
        baseline_microseconds: result.last?.baselineNanoseconds.map { $0 / 1000 },
        best_microseconds: result.last?.bestNanoseconds.map { $0 / 1000 },
        speedup: result.last?.bestSpeedup, speedup_lower_bound: result.lowerBound,
        gain_share_after_10_seconds: result.earlyShare,
        verdict: result.verdict, termination: result.last?.termination)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(lines), as: UTF8.self) + "\n"
  }

  /// Of all specs: how much of what a search gains it has gained early.
  static func summary(_ results: [SpecResult]) -> String {
    let shares = results.compactMap(\.earlyShare)
    guard let least = shares.min(), let most = shares.max() else {
      return "no search was longer than \(Int(SpecResult.early)) s and gained anything"
    }
    return
      "gained in the first \(Int(SpecResult.early)) s: median \(rounded(shares.median * 100)) % "
      + "(\(rounded(least * 100)) to \(rounded(most * 100)))"
  }

  static func text(_ result: SpecResult) -> String {
    let times = result.baselineSeconds.map { $0 * 1000 }
    var text = "\(result.name)\n"
    text += "  baseline: median \(Int(times.median)) ms (\(Int(times.min() ?? 0)) to "
    text += "\(Int(times.max() ?? 0)));"
    text += stages(averages(of: result.baselineStages))
    guard let last = result.last, let rate = result.candidatesPerSecond else { return text }
    text += "\n  search: \(last.candidates) candidates, \(rounded(rate)) a second, "
    text += "\(rounded(result.searchSeconds)) s as a whole; per candidate"
    let count = Double(max(1, last.candidates))
    text += stages(result.searchStages.mapValues { $0 / count }) + "\n"
    text += "  best: \(rounded((last.bestNanoseconds ?? 0) / 1000)) of "
    text += "\(rounded((last.baselineNanoseconds ?? 0) / 1000)) us, "
    text += "\(rounded(last.bestSpeedup ?? 0)) times as fast, "
    text += "served: \(result.verdict ?? "nothing"), at least "
    text += "\(rounded(result.lowerBound ?? 0)) times"
    if let share = result.earlyShare {
      text += "\n  gained in the first 10 s: \(rounded(share * 100)) %"
    }
    return text
  }

  private static func averages(of runs: [[String: Double]]) -> [String: Double] {
    runs.reduce(into: [:]) { sum, run in sum.merge(run, uniquingKeysWith: +) }
      .mapValues { $0 / Double(max(1, runs.count)) }
  }

  private static func stages(_ seconds: [String: Double]) -> String {
    seconds.sorted { $0.value > $1.value }
      .map { " \($0.key) \(rounded($0.value * 1000)) ms" }.joined(separator: ",")
  }

  private static func rounded(_ value: Double) -> String {
    String(value < 10 ? (value * 100).rounded() / 100 : (value * 10).rounded() / 10)
  }
}
