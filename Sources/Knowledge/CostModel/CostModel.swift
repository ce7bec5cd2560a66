import CLinux
import Synchronization

/// Predicts how much faster than its baseline a schedule is, from the features that describe it.
///
/// Gradient-boosted trees as in Chen et al., "Learning to Optimize Tensor Programs" (NeurIPS 2018), learned by
/// XGBoost. A function of the samples alone: equal samples in equal order give equal predictions. May be used from
/// any thread.
package struct CostModel: Sendable {
  private let columns: [String]
  private let trees: BoostedTrees

  /// Learns from samples, of which only the newest ``mostSamples`` count. Takes some 25 ms for so many.
  ///
  /// - Parameter own: samples of the search that asks, which count more than those of other searches.
  /// - Returns: `nil` for fewer than ``fewestSamples`` in all, or where XGBoost is not installed.
  package init?(own: [CostSample], others: [CostSample] = []) {
    let own = own.suffix(Self.mostSamples)
    let others = others.suffix(Self.mostSamples - own.count)
    let samples = Array(others + own)
    guard samples.count >= Self.fewestSamples else { return nil }
    columns = samples.reduce(into: Set<String>()) { $0.formUnion($1.features.keys) }.sorted()
    let weights =
      others.map { _ in Float(1) } + own.map { _ in Self.weightOfOwn }
    guard
      let trees = BoostedTrees(
        rows: Self.table(samples.map(\.features), columns), targets: samples.map(\.gain),
        weights: weights, columns: columns.count)
    else { return nil }
    self.trees = trees
  }

  /// The predicted gain of each schedule, in doublings of speed over the baseline; 0 for all when none can be had.
  package func gains(of schedules: [[String: Float]]) -> [Float] {
    trees.predictions(of: Self.table(schedules, columns), count: schedules.count)
      ?? schedules.map { _ in 0 }
  }

  private static func table(_ rows: [[String: Float]], _ columns: [String]) -> [Float] {
    rows.flatMap { row in columns.map { row[$0] ?? .nan } }
  }

  /// With fewer, trees say nothing that the mean does not.
  package static let fewestSamples = 12
  /// Learning from so many takes a quarter of a compilation.
  package static let mostSamples = 400
  private static let weightOfOwn: Float = 4
}

/// Trees in the library's memory.
///
/// Sendable because the pointer is used behind the mutex alone, and freed when nobody has it any more.
private final class BoostedTrees: @unchecked Sendable {
  private let pointer: OpaquePointer
  private let columns: Int
  private let turn = Mutex(())

  init?(rows: [Float], targets: [Float], weights: [Float], columns: Int) {
    let fitted = granary_trees_fit(
      rows, targets, weights, targets.count, columns,
      granary_trees_shape(rounds: 40, depth: 4, rate: 0.25))
    guard let fitted else { return nil }
    pointer = fitted
    self.columns = columns
  }

  deinit { granary_trees_free(pointer) }

  func predictions(of rows: [Float], count: Int) -> [Float]? {
    guard count > 0 else { return [] }
    var predictions = [Float](repeating: 0, count: count)
    let status = turn.withLock { _ in
      granary_trees_predict(pointer, rows, count, columns, &predictions)
    }
    return status == 0 ? predictions : nil
  }
}
