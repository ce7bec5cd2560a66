import FoundationEssentials
import Support

/// Two searches of one spec: one that knows the results of a neighbour, and one that knows nothing.
struct TransferResult {
  var name: String
  var neighbour: String
  /// The fitness of each candidate, the baseline first.
  var taught: [Double]
  var alone: [Double]

  /// The best that either found.
  var best: Double { (taught + alone).max() ?? 0 }

  /// How many candidates after the baseline a search tried until it had nine tenths of the best of both; `nil`
  /// where it never had.
  func candidatesNeeded(_ fitness: [Double]) -> Int? {
    fitness.firstIndex { $0 >= 0.9 * best }
  }
}

/// How results of transfer are printed.
enum TransferReport {
  private struct Line: Encodable {
    var name: String
    var neighbour: String
    var best_speedup: Double
    var taught_candidates_to_90_percent: Int?
    var alone_candidates_to_90_percent: Int?
    var taught_candidates: Int
    var alone_candidates: Int
  }

  static func json(_ results: [TransferResult]) throws -> String {
    let lines = results.map { result in
      Line(
        name: result.name, neighbour: result.neighbour, best_speedup: result.best,
        taught_candidates_to_90_percent: result.candidatesNeeded(result.taught),
        alone_candidates_to_90_percent: result.candidatesNeeded(result.alone),
        taught_candidates: result.taught.count, alone_candidates: result.alone.count)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    return String(decoding: try encoder.encode(lines), as: UTF8.self) + "\n"
  }

  static let heading =
    "candidates until nine tenths of the best of both searches: after a neighbour, alone"

  static func line(_ result: TransferResult) -> String {
    "\(result.name), after \(result.neighbour): \(needed(result, result.taught)), "
      + "\(needed(result, result.alone)); best \((result.best * 100).rounded() / 100) times "
      + "as fast as the baseline"
  }

  static func summary(_ results: [TransferResult]) -> String {
    let (taught, alone) = (
      results.map { count($0, $0.taught) }, results.map { count($0, $0.alone) }
    )
    return "median: \(Int(taught.median)), \(Int(alone.median))"
  }

  /// Those that never had it count as all that were tried.
  private static func count(_ result: TransferResult, _ fitness: [Double]) -> Double {
    Double(result.candidatesNeeded(fitness) ?? fitness.count)
  }

  private static func needed(_ result: TransferResult, _ fitness: [Double]) -> String {
    result.candidatesNeeded(fitness).map(String.init) ?? "not in \(fitness.count)"
  }
}
