import CacheStore
import FoundationEssentials
import KernelSpec
import Optimization
import Support

/// How the best of a search grew.
struct SearchTrace {
  /// After each candidate but the baseline: seconds of the search's own clock, and the best speedup so far.
  var steps: [(seconds: Double, best: Double)] = []
  var candidates: [CandidateRecord] = []

  var best: Double { steps.last?.best ?? 1 }

  /// Candidates and seconds until a share of a gain was reached; those of the whole search where it never was.
  func needed(for share: Double, of gain: Double) -> (candidates: Double, seconds: Double) {
    let position = steps.firstIndex { $0.best - 1 >= share * gain } ?? steps.count - 1
    guard steps.indices.contains(position) else { return (0, 0) }
    return (Double(position + 1), steps[position].seconds)
  }

  /// The share of a gain that was reached after so many seconds.
  func share(of gain: Double, after seconds: Double) -> Double {
    let best = steps.last { $0.seconds <= seconds }?.best ?? 1
    return gain > 0 ? (best - 1) / gain : 1
  }

  /// The share of candidates that were worth timing: right, no duplicate, at least half as fast as the baseline.
  var worthTiming: Double {
    let worth = candidates.dropFirst().count {
      if case .measured(_, let fitness, _) = $0.outcome { fitness >= 0.5 } else { false }
    }
    return Double(worth) / Double(max(1, candidates.count - 1))
  }
}

extension SearchBench {
  /// Searches of each spec with the cost model and without, in turns, each in an empty store.
  func compare() async throws {
    defer { removeFiles() }
    var rows: [ComparisonRow] = []
    say(ComparisonRow.heading)
    for spec in options.specs {
      do {
        let row = try await comparison(of: spec)
        rows.append(row)
        say(row.text)
      } catch {
        say("\(spec.prefix(40)): \(error)")
      }
    }
    say(ComparisonRow.summary(of: rows))
  }

  private func comparison(of spec: String) async throws -> ComparisonRow {
    var row = ComparisonRow(name: try Spec.parse(spec).checked().name)
    for round in 0..<options.repeats {
      // The first of a pair may find the machine in another state: A B B A.
      for isOn in round.isMultiple(of: 2) ? [true, false] : [false, true] {
        let trace = try await trace(of: spec, costModel: isOn)
        if isOn { row.with.append(trace) } else { row.without.append(trace) }
      }
    }
    let trial = CostTrial(
      try KernelPlan(spec: try Spec.parse(spec).checked(), hardware: hardware))
    row.correlations = zip(row.with, row.without).compactMap { with, without in
      trial.predictions(of: without.candidates, learning: with.candidates).map {
        rankCorrelation($0.map(\.predicted), $0.map(\.measured))
      }
    }
    return row
  }

  private func trace(of spec: String, costModel: Bool) async throws -> SearchTrace {
    let library = try await library(costModel: costModel)
    defer { try? library.store.close() }
    _ = try await library.resolve(spec, .baseline)
    var trace = SearchTrace()
    let key = try await tune(spec, in: library) { report in
      guard report.candidates > trace.steps.count + 1 else { return }
      trace.steps.append((report.elapsedSeconds, max(1, report.bestSpeedup ?? 1)))
    }
    trace.candidates = try candidates(of: key, in: library)
    return trace
  }
}

/// Spearman's rank correlation; equal values share the mean of their ranks.
func rankCorrelation(_ first: [Double], _ second: [Double]) -> Double {
  let (first, second) = (ranks(first), ranks(second))
  let count = Double(first.count)
  guard count > 1 else { return 0 }
  let (meanFirst, meanSecond) = (first.reduce(0, +) / count, second.reduce(0, +) / count)
  let products = zip(first, second).reduce(0) { $0 + ($1.0 - meanFirst) * ($1.1 - meanSecond) }
  let squares = first.reduce(0) { $0 + ($1 - meanFirst) * ($1 - meanFirst) }
  let others = second.reduce(0) { $0 + ($1 - meanSecond) * ($1 - meanSecond) }
  return squares * others > 0 ? products / (squares * others).squareRoot() : 0
}

private func ranks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  var start = 0
  while start < order.count {
    let value = values[order[start]]
    let end = order[start...].firstIndex { values[$0] != value } ?? order.count
    for position in order[start..<end] { ranks[position] = Double(start + end - 1) / 2 }
    start = end
  }
  return ranks
}
