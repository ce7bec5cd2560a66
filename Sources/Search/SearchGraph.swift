import KernelSpec

/// What is known of the search so far, as selection and proposing see it. All of it follows from the
/// candidates and proposals, so none of it is stored.
struct SearchGraph: Sendable {
  let space: SearchSpace
  private(set) var candidates: [CandidateRecord] = []
  /// Proposals without an outcome: they count as children, so that one batch spreads out.
  private(set) var pending: [Proposal] = []
  /// Every schedule ever proposed.
  private(set) var seen: Set<Schedule> = []
  /// How many children each candidate has, pending ones included.
  private(set) var children: [Int: Int] = [:]
  /// Candidates that a repair was tried on.
  private(set) var repaired: Set<Int> = []
  private(set) var credit = ProposerCredit()
  private(set) var championID: Int?
  /// How many candidates got past the static rules, and how many had when the champion last improved by 1 %.
  private(set) var legalCount = 0
  private(set) var legalCountAtImprovement = 0

  init(space: SearchSpace) { self.space = space }

  var champion: CandidateRecord? { championID.map { candidates[$0] } }

  /// The fitness of each candidate.
  private(set) var fitness: [Double] = []
  /// The archive cell of each candidate.
  private(set) var cells: [[String]] = []
  /// Candidates that work, one for each artifact: fittest first, the older of equals first.
  private(set) var ranked: [Int] = []

  /// Whether a stored proposal can be number `id` of this graph.
  func accepts(_ proposal: Proposal, id: Int) -> Bool {
    proposal.id == id && space.contains(shapeOf: proposal.schedule)
      && proposal.parents.allSatisfy { candidates.indices.contains($0) }
  }

  mutating func propose(_ proposal: Proposal) {
    pending.append(proposal)
    seen.insert(proposal.schedule)
    for parent in proposal.parents { children[parent, default: 0] += 1 }
    if proposal.proposer == Proposer.repair.rawValue { repaired.formUnion(proposal.parents) }
  }

  /// Adds the next candidate; its proposal must be the first that is pending.
  mutating func insert(_ candidate: CandidateRecord) {
    pending.removeAll { $0.id == candidate.id }
    let fitness = candidate.outcome.usableFitness
    let best = champion?.outcome.usableFitness ?? 0
    let parents = candidate.parents.map { self.fitness[$0] }
    if let parent = parents.max() {
      credit.count(candidate.proposer, success: fitness > parent * 1.01)
    } else {
      credit.count(candidate.proposer, success: fitness > best * 1.01)
    }
    candidates.append(candidate)
    self.fitness.append(fitness)
    cells.append(space.cell(of: candidate.schedule))
    if case .measured = candidate.outcome, fitness > 0 {
      let place = ranked.firstIndex { self.fitness[$0] < fitness } ?? ranked.count
      ranked.insert(candidate.id, at: place)
    }
    if case .illegal = candidate.outcome {} else { legalCount += 1 }
    if fitness > best * 1.01 { legalCountAtImprovement = legalCount }
    if fitness > best { championID = candidate.id }
  }
}

extension CandidateOutcome {
  /// The fitness, and 0 for one that is no number.
  var usableFitness: Double { fitness.isFinite ? max(0, fitness) : 0 }
}

/// How often each proposer made a candidate that is better than its parents.
struct ProposerCredit: Sendable {
  private var tries: [String: Double] = [:]
  private var successes: [String: Double] = [:]

  /// Older counts fade, so that what helps late in a search is asked late in a search.
  mutating func count(_ proposer: String, success: Bool) {
    tries[proposer] = (tries[proposer] ?? 0) * 0.97 + 1
    successes[proposer] = (successes[proposer] ?? 0) * 0.97 + (success ? 1 : 0)
  }

  /// The share of successes, drawn toward 0.2 while little is known; never below 0.05, so that none starves.
  func rate(of proposer: Proposer) -> Double {
    let tries = tries[proposer.rawValue] ?? 0
    let successes = successes[proposer.rawValue] ?? 0
    return max(0.05, (successes + 1) / (tries + 5))
  }
}
