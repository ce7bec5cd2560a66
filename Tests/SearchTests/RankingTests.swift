import KernelSpec
import Search
import Support
import Testing

/// Ranks by what a landscape gives, so that nothing better can be known.
private struct Oracle: ScheduleRanking {
  var landscape: Landscape

  func scores(of schedules: [Schedule]) -> [Double?] {
    schedules.map { schedule in
      if case .illegal = landscape.outcome(schedule) { return nil }
      return landscape.outcome(schedule).fitness
    }
  }
}

/// Knows the rules, and nothing else.
private struct Rules: ScheduleRanking {
  var landscape: Landscape

  func scores(of schedules: [Schedule]) -> [Double?] {
    Oracle(landscape: landscape).scores(of: schedules).map { $0.map { _ in 0 } }
  }
}

@Suite struct RankingTests {
  private func candidates(
    _ landscape: Landscape, seed: UInt64, _ ranking: (any ScheduleRanking)?
  ) -> [CandidateRecord] {
    let limits = TerminationLimits(seconds: 1e9, candidates: 60, stall: 1000)
    var engine = SearchEngine(
      configuration: SearchConfiguration(seed: seed, limits: limits), space: landscape.space)
    while case .evaluate(let proposals) = engine.next(now: 0, ranking: ranking) {
      for proposal in proposals {
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
      }
    }
    return engine.candidates
  }

  /// How many candidates it takes until nine tenths of the best, the median of a few seeds.
  private func needed(_ landscape: Landscape, _ ranking: (any ScheduleRanking)?) -> Double {
    let goal = 0.9 * landscape.bestOfRandom(2000, seed: 1)
    return (UInt64(0)..<9).map { seed in
      let found = candidates(landscape, seed: seed, ranking)
      return Double(found.firstIndex { $0.outcome.fitness >= goal } ?? found.count)
    }.median
  }

  @Test("a ranking that is right finds what is good sooner", arguments: Landscape.all)
  func sooner(landscape: Landscape) {
    #expect(needed(landscape, Oracle(landscape: landscape)) <= needed(landscape, nil) / 2)
  }

  @Test("what a ranking refuses is proposed only when nothing else is left")
  func refused() {
    for seed in UInt64(0)..<9 {
      let landscape = Landscape.contraction
      let found = candidates(landscape, seed: seed, Rules(landscape: landscape))
      let illegal = found.count { if case .illegal = $0.outcome { true } else { false } }
      #expect(illegal == 0, "seed \(seed)")
    }
  }

  @Test("a ranking that refuses everything does not keep a search from ending")
  func refusesAll() {
    struct Nothing: ScheduleRanking {
      func scores(of schedules: [Schedule]) -> [Double?] { schedules.map { _ in nil } }
    }
    #expect(candidates(.smooth, seed: 3, Nothing()).count == 60)
  }

  @Test("equal rankings give equal paths, and no schedule twice", arguments: Landscape.all)
  func deterministic(landscape: Landscape) {
    let first = candidates(landscape, seed: 5, Oracle(landscape: landscape))
    #expect(first == candidates(landscape, seed: 5, Oracle(landscape: landscape)))
    #expect(Set(first.map(\.schedule)).count == first.count)
  }
}
