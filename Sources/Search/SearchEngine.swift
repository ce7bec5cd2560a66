package import KernelSpec
import Support

/// A search for the fastest schedule, as a state machine without effects: it says what to evaluate and is
/// told the outcomes.
///
/// Guarantees: the same configuration, space, rankings and outcomes give the same path, in whatever order the
/// outcomes of one batch arrive; no schedule is proposed twice; candidate 0 is the baseline.
package struct SearchEngine: Sendable {
  /// All state that does not follow from the candidates.
  package internal(set) var checkpoint: SearchCheckpoint
  var graph: SearchGraph
  /// Whether the batch was handed out since this engine was made; a resumed engine hands it out again.
  private var isBatchAnnounced = false
  /// The caller's clock when the search began, less the time spent before it was resumed.
  private var origin: Double?

  /// - Parameter transplants: schedules of similar searches, most promising first.
  package init(
    configuration: SearchConfiguration, space: ScheduleSpace, transplants: [Schedule] = []
  ) {
    checkpoint = SearchCheckpoint(
      configuration: configuration, space: space, transplants: transplants, offers: [],
      random: SeededRandom(seed: configuration.seed), proposals: [], outcomes: [:],
      spentSeconds: 0, termination: nil)
    graph = SearchGraph(space: SearchSpace(space))
  }

  /// Goes on where `checkpoint` was taken; what was being evaluated is proposed again.
  ///
  /// - Parameter candidates: all that were inserted, in the order of their ids. They may be ahead of the
  ///   checkpoint by outcomes of its batch. Those after a gap, or that do not fit the space, are ignored;
  ///   a batch that does not follow on the candidates is given up.
  package init(resuming checkpoint: SearchCheckpoint, candidates: [CandidateRecord]) {
    self.checkpoint = checkpoint
    graph = SearchGraph(space: SearchSpace(checkpoint.space))
    let batchStart = checkpoint.proposals.first?.id ?? candidates.count
    for candidate in candidates.prefix(max(0, batchStart)) {
      guard graph.accepts(Proposal(candidate), id: graph.candidates.count) else { break }
      graph.propose(Proposal(candidate))
      graph.insert(candidate)
    }
    let start = graph.candidates.count
    let follows = checkpoint.proposals.enumerated().allSatisfy { offset, proposal in
      graph.accepts(proposal, id: start + offset)
    }
    guard follows else {
      self.checkpoint.proposals = []
      self.checkpoint.outcomes = [:]
      return
    }
    for proposal in checkpoint.proposals { graph.propose(proposal) }
    for candidate in candidates.dropFirst(start) {
      record(id: candidate.id, outcome: candidate.outcome, spent: checkpoint.spentSeconds)
    }
  }

  /// Every candidate with an outcome, by id from 0 without gaps; only ever appended to.
  package var candidates: [CandidateRecord] { graph.candidates }

  /// The fittest candidate; `nil` while none works.
  package var champion: CandidateRecord? { graph.champion }

  /// Candidates that work, fittest first.
  package var fittest: [CandidateRecord] { graph.ranked.map { graph.candidates[$0] } }

  /// Why the search ended; `nil` while it goes on.
  package var termination: TerminationReason? { checkpoint.termination }

  /// Gives the search a schedule from outside, such as a language model's, to be proposed next.
  ///
  /// It is moved into the space where it is outside, and ignored when it was proposed before.
  package mutating func offer(schedule: Schedule) { checkpoint.offers.append(schedule) }

  /// What to do now.
  ///
  /// - Parameters:
  ///   - now: the caller's clock in seconds, from any origin; it must not go back.
  ///   - ranking: chooses among more children than are proposed; `nil` to propose the first.
  package mutating func next(now: Double, ranking: (any ScheduleRanking)? = nil) -> SearchAction {
    if let reason = checkpoint.termination { return .finish(reason) }
    checkpoint.spentSeconds = spent(at: now)
    if !checkpoint.proposals.isEmpty { return announceBatch() }
    if let reason = limitReached() { return finish(reason) }
    proposeBatch(ranking)
    if checkpoint.proposals.isEmpty { return finish(.exhausted) }
    isBatchAnnounced = false
    return announceBatch()
  }

  /// Tells the outcome of a proposal; one that is not being evaluated is ignored.
  ///
  /// - Returns: the candidates that this inserted: none while an outcome of a smaller id is missing.
  @discardableResult
  package mutating func record(
    id: Int, outcome: CandidateOutcome, at seconds: Double
  ) -> [CandidateRecord] {
    record(id: id, outcome: outcome, spent: spent(at: seconds))
  }

  @discardableResult
  private mutating func record(
    id: Int, outcome: CandidateOutcome, spent: Double
  ) -> [CandidateRecord] {
    guard checkpoint.proposals.contains(where: { $0.id == id }) else { return [] }
    checkpoint.spentSeconds = spent
    if checkpoint.outcomes[id] == nil { checkpoint.outcomes[id] = outcome }
    var inserted: [CandidateRecord] = []
    while let first = checkpoint.proposals.first,
      let outcome = checkpoint.outcomes.removeValue(forKey: first.id)
    {
      checkpoint.proposals.removeFirst()
      inserted.append(first.record(outcome))
      graph.insert(first.record(outcome))
    }
    return inserted
  }

  private mutating func spent(at now: Double) -> Double {
    let origin = self.origin ?? now - checkpoint.spentSeconds
    self.origin = origin
    return max(checkpoint.spentSeconds, now - origin)
  }

  private mutating func announceBatch() -> SearchAction {
    guard !isBatchAnnounced else { return .wait }
    isBatchAnnounced = true
    return .evaluate(checkpoint.proposals.filter { checkpoint.outcomes[$0.id] == nil })
  }

  private mutating func finish(_ reason: TerminationReason) -> SearchAction {
    checkpoint.termination = reason
    return .finish(reason)
  }
}

extension SearchEngine: Codable {
  private enum CodingKeys: String, CodingKey { case checkpoint, candidates }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      resuming: try container.decode(SearchCheckpoint.self, forKey: .checkpoint),
      candidates: try container.decode([CandidateRecord].self, forKey: .candidates))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(checkpoint, forKey: .checkpoint)
    try container.encode(candidates, forKey: .candidates)
  }
}

extension Proposal {
  init(_ candidate: CandidateRecord) {
    self.init(
      id: candidate.id, parents: candidate.parents, proposer: candidate.proposer,
      schedule: candidate.schedule, island: candidate.island)
  }
}
