/// How a search chooses parents, proposes children and ends.
package struct SearchConfiguration: Sendable, Hashable, Codable {
  package var policy: SearchPolicy
  package var seed: UInt64
  /// How many proposals are evaluated together; at least 1.
  package var batchSize: Int
  package var limits: TerminationLimits
  /// The probability that a proposal replays a retrieved schedule, while any is left.
  package var retrievalProbability: Double
  /// How readily each proposer is asked before its success is known; absent counts as 0.
  package var proposerWeights: [String: Double]

  package init(
    policy: SearchPolicy = .defaultPolicy, seed: UInt64, batchSize: Int = 4,
    limits: TerminationLimits = TerminationLimits(), retrievalProbability: Double = 0.1,
    proposerWeights: [String: Double] = SearchConfiguration.defaultWeights
  ) {
    self.policy = policy
    self.seed = seed
    self.batchSize = batchSize
    self.limits = limits
    self.retrievalProbability = retrievalProbability
    self.proposerWeights = proposerWeights
  }

  package static let defaultWeights = [
    "draft": 0.15, "mutate": 0.55, "crossover": 0.2, "repair": 0.1,
  ]
}

/// How the parents of the next candidate are chosen.
package enum SearchPolicy: Sendable, Hashable, Codable {
  /// Always the best.
  case greedy
  /// The best `width`, in turn.
  case beam(width: Int)
  /// Upper confidence bounds along the tree of first parents.
  case uct(exploration: Double)
  /// Populations that mostly keep to themselves, each with a MAP-Elites archive; the best of one moves to the
  /// next every `migrationInterval` candidates.
  case islands(count: Int, migrationInterval: Int)

  /// Best or within noise of the best on the simulated landscapes of the tests.
  package static let defaultPolicy = SearchPolicy.beam(width: 4)
}

/// When a search ends, whichever comes first.
package struct TerminationLimits: Sendable, Hashable, Codable {
  /// Time spent searching, over all runs of a resumed search.
  package var seconds: Double
  /// Candidates that got past the static rules. So that a space of illegal schedules ends too, those refused
  /// count together as one for every 16.
  package var candidates: Int
  /// Candidates since the champion last became faster by 1 %.
  package var stall: Int
  /// The fitness that is good enough; `nil` for none.
  package var targetSpeedup: Double?
  /// The share of the measured ceiling that is good enough.
  package var rooflineFraction: Double
  /// The share of the ceiling that the baseline reaches; `nil` when it was not measured.
  package var baselineRooflineFraction: Double?

  package init(
    seconds: Double = 300, candidates: Int = 500, stall: Int = 150, targetSpeedup: Double? = nil,
    rooflineFraction: Double = 0.95, baselineRooflineFraction: Double? = nil
  ) {
    self.seconds = seconds
    self.candidates = candidates
    self.stall = stall
    self.targetSpeedup = targetSpeedup
    self.rooflineFraction = rooflineFraction
    self.baselineRooflineFraction = baselineRooflineFraction
  }
}
