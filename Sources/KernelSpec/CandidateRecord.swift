/// A node of the search graph. Nodes are only ever added; a node is written once its outcome is known.
public struct CandidateRecord: Sendable, Hashable, Codable {
  /// The position in the graph, from 0 (the baseline), without gaps.
  public var id: Int
  /// The candidates that it was made from: none for a draft, one for a mutation, two for a crossover.
  public var parents: [Int]
  /// The proposer that made it: `draft`, `mutate`, `crossover`, `transplant`, `repair`, `model`.
  public var proposer: String
  public var schedule: Schedule
  public var outcome: CandidateOutcome
  /// The island that it belongs to, for island policies.
  public var island: Int

  public init(
    id: Int, parents: [Int], proposer: String, schedule: Schedule, outcome: CandidateOutcome,
    island: Int
  ) {
    self.id = id
    self.parents = parents
    self.proposer = proposer
    self.schedule = schedule
    self.outcome = outcome
    self.island = island
  }
}

/// What became of a candidate.
public enum CandidateOutcome: Sendable, Hashable, Codable {
  /// Refused by a static rule before a compiler started.
  case illegal(reason: String)
  case compileFailed(log: String)
  /// It crashed, looped, or broke a rule of the sandbox.
  case runFailed(reason: String)
  /// It ran and gave a wrong result.
  case incorrect(reason: String)
  /// Its artifact equals that of an earlier candidate, whose fitness it shares.
  case duplicate(of: Int, fitness: Double)
  /// It is correct.
  case measured(artifact: Digest, fitness: Double, nanoseconds: Double)

  /// `t_reference / t_candidate`, and 0 for anything that failed to compile, run or agree.
  public var fitness: Double {
    switch self {
    case .duplicate(_, let fitness), .measured(_, let fitness, _): fitness
    default: 0
    }
  }
}
