import KernelSpec
import Support

extension SearchEngine {
  /// Fills the next batch; leaves it empty when every schedule was proposed.
  mutating func proposeBatch(_ ranking: (any ScheduleRanking)?) {
    let size = min(max(1, checkpoint.configuration.batchSize), candidatesLeft)
    // The baseline goes alone: everything later is compared with it.
    for _ in 0..<(candidates.isEmpty ? 1 : size) {
      let id = candidates.count + checkpoint.proposals.count
      guard let proposal = proposal(id: id, ranking) else { return }
      graph.propose(proposal)
      checkpoint.proposals.append(proposal)
    }
  }

  private mutating func proposal(id: Int, _ ranking: (any ScheduleRanking)?) -> Proposal? {
    if id == 0 { return fresh(.draft, checkpoint.space.defaultSchedule, id: 0) }
    while !checkpoint.offers.isEmpty {
      let offered = graph.space.projected(checkpoint.offers.removeFirst())
      if let proposal = fresh(.model, offered, id: id) { return proposal }
    }
    if let proposal = retrieved(id: id, ranking) { return proposal }
    let made = ranking.map { promising(id: id, $0) } ?? child(id: id)
    return made ?? unseen(id: id)
  }

  /// The most promising of several children, or now and then the first, so that what a ranking is wrong about is
  /// found out; `nil` when none keeps the rules.
  private mutating func promising(id: Int, _ ranking: any ScheduleRanking) -> Proposal? {
    let isFollowed = !checkpoint.random.chance(Self.unrankedProbability)
    let children = (0..<Self.rankedChildren).compactMap { _ in
      child(id: id)
    }
    let scores = ranking.scores(of: children.map(\.schedule))
    let allowed = zip(children, scores).compactMap { child, score in score.map { (child, $0) } }
    guard isFollowed else { return allowed.first?.0 }
    // The first of equals, as a ranking that knows nothing must not prefer the last.
    return allowed.reduce(nil as (Proposal, Double)?) { best, next in
      best.map { next.1 > $0.1 ? next : $0 } ?? next
    }?.0
  }

  /// How many children a ranking chooses among for each that is proposed.
  private static let rankedChildren = 16
  /// The probability that a ranking says only which children keep the rules.
  private static let unrankedProbability = 0.15

  /// A child that was not proposed before; `nil` when proposers find none.
  private mutating func child(id: Int) -> Proposal? {
    if isDraft(id: id), let proposal = made(by: .draft, id: id) { return proposal }
    for _ in 0..<32 {
      if let proposal = made(by: chosenProposer(), id: id) { return proposal }
    }
    return nil
  }

  /// Whether a candidate is a draft whatever the proposers' success: every second of the first, since near the default
  /// much is found soon, but not all.
  private func isDraft(id: Int) -> Bool { id < 2 * draftCount && id.isMultiple(of: 2) }

  /// How many candidates are drafts at the beginning: one in eight, within 4 and 12.
  private var draftCount: Int {
    min(12, max(4, checkpoint.configuration.limits.candidates / 8))
  }

  /// A retrieved schedule that keeps the rules, as far as these are known: the three most promising at once, the
  /// others now and then.
  private mutating func retrieved(id: Int, _ ranking: (any ScheduleRanking)?) -> Proposal? {
    guard !checkpoint.transplants.isEmpty else { return nil }
    let isDue =
      id <= 3 || checkpoint.random.chance(checkpoint.configuration.retrievalProbability)
    while isDue, !checkpoint.transplants.isEmpty {
      let schedule = graph.space.projected(checkpoint.transplants.removeFirst())
      if let scores = ranking?.scores(of: [schedule]), scores == [nil] { continue }
      if let proposal = fresh(.transplant, schedule, id: id) { return proposal }
    }
    return nil
  }

  /// A proposer by its configured weight times its success so far.
  private mutating func chosenProposer() -> Proposer {
    let weights = Proposer.allCases.map { proposer in
      let weight = checkpoint.configuration.proposerWeights[proposer.rawValue] ?? 0
      return max(0, weight) * graph.credit.rate(of: proposer)
    }
    var drawn = checkpoint.random.uniform() * weights.reduce(0, +)
    for (proposer, weight) in zip(Proposer.allCases, weights) {
      if drawn < weight { return proposer }
      drawn -= weight
    }
    return .draft
  }

  /// One attempt of a proposer; `nil` when it has nothing to work on or made a schedule that was seen.
  private mutating func made(by proposer: Proposer, id: Int) -> Proposal? {
    switch proposer {
    case .draft:
      let known = graph.candidates.suffix(32).map(\.schedule) + graph.pending.map(\.schedule)
      return fresh(.draft, graph.space.draft(awayFrom: known, &checkpoint.random), id: id)
    case .mutate: return mutation(id: id)
    case .crossover: return crossover(id: id)
    case .repair: return repair(id: id)
    // These come from outside: they are proposed when there are any.
    case .transplant, .model: return nil
    }
  }

  private mutating func parent(ofCandidate id: Int) -> Int? {
    let selection = checkpoint.configuration.policy.selection
    let island = selection.island(forCandidate: id)
    return selection.parent(in: graph, island: island, &checkpoint.random)
  }

  private mutating func mutation(id: Int) -> Proposal? {
    guard let parent = parent(ofCandidate: id) else { return nil }
    let schedule = graph.space.mutated(candidates[parent].schedule, &checkpoint.random)
    return fresh(.mutate, schedule, parents: [parent], id: id)
  }

  private mutating func crossover(id: Int) -> Proposal? {
    let best = graph.ranked.prefix(12)
    guard let first = parent(ofCandidate: id),
      let second = checkpoint.random.choice(best.filter { $0 != first })
    else { return nil }
    let schedule = graph.space.crossed(
      candidates[first].schedule, candidates[second].schedule, &checkpoint.random)
    return fresh(.crossover, schedule, parents: [first, second], id: id)
  }

  /// The latest failure that has a working ancestor and was not repaired yet, moved toward that ancestor.
  private func repair(id: Int) -> Proposal? {
    let failed = candidates.reversed().lazy.filter {
      !graph.repaired.contains($0.id) && isRepairable($0)
    }
    for candidate in failed.prefix(8) {
      guard let working = workingAncestor(of: candidate) else { continue }
      let schedule = graph.space.repaired(candidate.schedule, toward: working.schedule)
      let proposal = fresh(.repair, schedule, parents: [candidate.id], id: id)
      if let proposal { return proposal }
    }
    return nil
  }

  private func isRepairable(_ candidate: CandidateRecord) -> Bool {
    switch candidate.outcome {
    case .illegal, .compileFailed: workingAncestor(of: candidate) != nil
    default: false
    }
  }

  private func workingAncestor(of candidate: CandidateRecord) -> CandidateRecord? {
    var ancestor = candidate
    while let parent = ancestor.parents.first {
      ancestor = candidates[parent]
      if graph.fitness[ancestor.id] > 0 { return ancestor }
    }
    return nil
  }

  /// The next schedule of the enumeration, from a random place, that was not proposed; `nil` when all were.
  private mutating func unseen(id: Int) -> Proposal? {
    let count = graph.space.count
    let start = checkpoint.random.below(count)
    for step in 0..<min(count, graph.seen.count + 1) {
      // Without overflow, as start and step are both below `count`.
      let position = start >= count - step ? start - (count - step) : start + step
      let proposal = fresh(.draft, graph.space.schedule(at: position), id: id)
      if let proposal { return proposal }
    }
    return nil
  }

  private func fresh(
    _ proposer: Proposer, _ schedule: Schedule, parents: [Int] = [], id: Int
  ) -> Proposal? {
    guard !graph.seen.contains(schedule) else { return nil }
    let island = checkpoint.configuration.policy.selection.island(forCandidate: id)
    return Proposal(
      id: id, parents: parents, proposer: proposer.rawValue, schedule: schedule, island: island)
  }
}
