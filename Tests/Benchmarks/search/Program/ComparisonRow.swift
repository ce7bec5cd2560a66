import Support

/// Searches of one spec with the cost model and without it.
struct ComparisonRow {
  var name: String
  var with: [SearchTrace] = []
  var without: [SearchTrace] = []
  /// Of what a model that learned from a search with it predicts of the candidates of one without it.
  var correlations: [Double] = []

  /// What the best search of either kind gained.
  var gain: Double { ((with + without).map(\.best).max() ?? 1) - 1 }

  static let heading =
    "operator: best speedup; candidates and seconds until 90 % of that gain, share of it after 10 s, "
    + "candidates worth timing, candidates a second: with the model / without "
    + "(median, least to most); rank correlation on the others' candidates"

  var text: String {
    """
    \(name): \(Self.rounded(gain + 1)); \
    candidates \(both { needed($0).candidates }); seconds \(both { needed($0).seconds }); \
    after 10 s \(both { $0.share(of: gain, after: 10) }); worth timing \(both(\.worthTiming)); \
    a second \(both(Self.rate)); rank correlation \(Self.spread(correlations))
    """
  }

  static func summary(of rows: [ComparisonRow]) -> String {
    func medians(_ value: (ComparisonRow, SearchTrace) -> Double) -> String {
      func median(_ traces: (ComparisonRow) -> [SearchTrace]) -> Double {
        rows.map { row in traces(row).map { value(row, $0) }.median }.median
      }
      return "\(rounded(median(\.with))) / \(rounded(median(\.without)))"
    }
    guard !rows.isEmpty else { return "nothing was measured" }
    return """
      median of the operators, with / without: candidates \(medians { $0.needed($1).candidates }); \
      seconds \(medians { $0.needed($1).seconds }); \
      after 10 s \(medians { $1.share(of: $0.gain, after: 10) }); \
      best \(medians { $1.best }); worth timing \(medians { $1.worthTiming }); \
      a second \(medians { rate($1) }); \
      rank correlation \(spread(rows.flatMap(\.correlations)))
      """
  }

  private func needed(_ trace: SearchTrace) -> (candidates: Double, seconds: Double) {
    trace.needed(for: 0.9, of: gain)
  }

  private static func rate(_ trace: SearchTrace) -> Double {
    Double(trace.steps.count) / max(trace.steps.last?.seconds ?? 1, 1e-3)
  }

  private func both(_ value: (SearchTrace) -> Double) -> String {
    "\(Self.spread(with.map(value))) / \(Self.spread(without.map(value)))"
  }

  private static func spread(_ values: [Double]) -> String {
    guard let least = values.min(), let most = values.max() else { return "none" }
    if values.count == 1 { return rounded(least) }
    return "\(rounded(values.median)) (\(rounded(least)) to \(rounded(most)))"
  }

  private static func rounded(_ value: Double) -> String {
    String(value < 10 ? (value * 100).rounded() / 100 : (value * 10).rounded() / 10)
  }
}
