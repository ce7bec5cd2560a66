package import KernelSpec

/// What the driver of a search must do next.
package enum SearchAction: Sendable, Hashable {
  /// Evaluate all of these, in any order, and record each outcome.
  case evaluate([Proposal])
  /// Outcomes are missing: ask again once they are recorded.
  case wait
  case finish(TerminationReason)
}

/// A candidate that has no outcome yet.
package struct Proposal: Sendable, Hashable, Codable {
  package var id: Int
  package var parents: [Int]
  package var proposer: String
  package var schedule: Schedule
  package var island: Int

  /// The candidate with its outcome.
  func record(_ outcome: CandidateOutcome) -> CandidateRecord {
    CandidateRecord(
      id: id, parents: parents, proposer: proposer, schedule: schedule, outcome: outcome,
      island: island)
  }
}

/// Why a search ended.
package enum TerminationReason: String, Sendable, Hashable, Codable {
  case seconds, candidates, stall, target, roofline
  /// Every schedule of the space was tried.
  case exhausted
}

/// What makes candidates.
package enum Proposer: String, Sendable, Hashable, Codable, CaseIterable {
  case draft, mutate, crossover, transplant, repair, model
}
