package import KernelSpec
import Knowledge

/// What the cost model would have said of candidates whose outcomes are known, for benchmarks.
package struct CostTrial: Sendable {
  private let learner: CostLearner

  package init(_ plan: KernelPlan) {
    learner = CostLearner(plan, records: nil)
  }

  /// Candidates that were measured, in no known order, with what a model predicts that learned from others alone.
  ///
  /// - Returns: pairs of a prediction and the gain that was measured, in doublings; `nil` where there are too few
  ///   candidates to learn from.
  package func predictions(
    of held: [CandidateRecord], learning known: [CandidateRecord]
  ) -> [(predicted: Double, measured: Double)]? {
    guard let model = CostModel(own: known.compactMap(learner.sample)) else { return nil }
    let measured = held.filter { if case .measured = $0.outcome { $0.id != 0 } else { false } }
    let samples = measured.compactMap(learner.sample)
    return zip(model.gains(of: samples.map(\.features)), samples).map {
      (Double($0), Double($1.gain))
    }
  }
}
