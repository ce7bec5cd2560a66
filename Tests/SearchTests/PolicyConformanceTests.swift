import FoundationEssentials
import KernelSpec
import Search
import Support
import Testing

/// What every policy keeps.
@Suite struct PolicyConformanceTests {
  static func configuration(_ policy: SearchPolicy, seed: UInt64 = 7) -> SearchConfiguration {
    SearchConfiguration(
      policy: policy, seed: seed,
      limits: TerminationLimits(seconds: 1e9, candidates: 90, stall: 1000))
  }

  static func engine(_ policy: SearchPolicy, on landscape: Landscape) -> SearchEngine {
    let transplants = (0..<6).map { value in
      Schedule(kernels: [
        KernelSchedule(sketch: "packed", parameters: ["rows": value, "vectors": 3, "depth": 250])
      ])
    }
    return SearchEngine(
      configuration: configuration(policy), space: landscape.space, transplants: transplants)
  }

  @Test("the same seed and outcomes give the same path", arguments: Policies.all)
  func deterministic(policy: SearchPolicy) {
    for landscape in Landscape.all {
      var first = Self.engine(policy, on: landscape)
      var second = Self.engine(policy, on: landscape)
      #expect(first.run(on: landscape) == second.run(on: landscape, clock: 1e6))
      #expect(first.candidates == second.candidates)
    }
  }

  @Test("the order in which a batch is answered does not matter", arguments: Policies.all)
  func orderWithinBatch(policy: SearchPolicy) {
    let landscape = Landscape.contraction
    var expected = Self.engine(policy, on: landscape)
    _ = expected.run(on: landscape)
    var engine = Self.engine(policy, on: landscape)
    while case .evaluate(let proposals) = engine.next(now: 0) {
      for proposal in proposals.reversed() {
        #expect(engine.next(now: 0) == .wait)
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
      }
    }
    #expect(engine.candidates == expected.candidates)
  }

  @Test("a search that was killed anywhere goes on along the same path", arguments: Policies.all)
  func resumable(policy: SearchPolicy) throws {
    let landscape = Landscape.contraction
    var whole = Self.engine(policy, on: landscape)
    _ = whole.run(on: landscape)
    var random = SeededRandom(seed: 11)
    var engine = Self.engine(policy, on: landscape)
    var evaluations = 0
    while case .evaluate(let proposals) = engine.next(now: 0) {
      // Outcomes before the kill are kept, those of later ids too; the rest are evaluated again.
      for proposal in proposals where random.uniform() < 0.7 {
        evaluations += 1
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
      }
      engine = SearchEngine(resuming: engine.checkpoint, candidates: engine.candidates)
    }
    #expect(engine.candidates == whole.candidates)
    #expect(evaluations == whole.candidates.count)
  }

  @Test("candidates may be ahead of the checkpoint", arguments: Policies.all)
  func candidatesAhead(policy: SearchPolicy) {
    let landscape = Landscape.contraction
    var whole = Self.engine(policy, on: landscape)
    _ = whole.run(on: landscape)
    var engine = Self.engine(policy, on: landscape)
    while case .evaluate(let proposals) = engine.next(now: 0) {
      let before = engine.checkpoint
      for proposal in proposals {
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
      }
      engine = SearchEngine(resuming: before, candidates: engine.candidates)
    }
    #expect(engine.candidates == whole.candidates)
  }

  @Test("an encoded search is the search", arguments: Policies.all)
  func encoded(policy: SearchPolicy) throws {
    let landscape = Landscape.rugged
    var engine = Self.engine(policy, on: landscape)
    for _ in 0..<4 {
      guard case .evaluate(let proposals) = engine.next(now: 0) else { break }
      for proposal in proposals {
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
      }
    }
    let data = try JSONEncoder().encode(engine)
    var decoded = try JSONDecoder().decode(SearchEngine.self, from: data)
    #expect(engine.run(on: landscape) == decoded.run(on: landscape))
    #expect(engine.candidates == decoded.candidates)
  }

  @Test("ids have no gaps, no schedule repeats, parents come first", arguments: Policies.all)
  func wellFormed(policy: SearchPolicy) throws {
    for landscape in Landscape.all {
      var engine = Self.engine(policy, on: landscape)
      _ = engine.run(on: landscape)
      #expect(engine.candidates.map(\.id) == Array(engine.candidates.indices))
      #expect(Set(engine.candidates.map(\.schedule)).count == engine.candidates.count)
      let areEarlier = engine.candidates.allSatisfy { candidate in
        candidate.parents.allSatisfy { $0 < candidate.id }
      }
      #expect(areEarlier)
      #expect(engine.candidates.first?.schedule == landscape.space.defaultSchedule)
      for candidate in engine.candidates { expect(candidate.schedule, isIn: landscape.space) }
    }
  }

  private func expect(_ schedule: Schedule, isIn space: ScheduleSpace) {
    #expect(schedule.kernels.count == space.kernels.count)
    for (kernel, kernelSpace) in zip(schedule.kernels, space.kernels) {
      let sketch = kernelSpace.sketches.first { $0.sketch == kernel.sketch }
      let domains = sketch?.parameters ?? []
      #expect(kernel.parameters.count == domains.count)
      for domain in domains {
        #expect(domain.values.contains(kernel.parameters[domain.name] ?? Int.min))
      }
    }
    #expect(schedule.build.count == space.build.count)
  }

  @Test("the champion never becomes slower", arguments: Policies.all)
  func monotone(policy: SearchPolicy) {
    let landscape = Landscape.rugged
    var engine = Self.engine(policy, on: landscape)
    var best = 0.0
    while case .evaluate(let proposals) = engine.next(now: 0) {
      for proposal in proposals {
        engine.record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: 0)
        let fitness = engine.champion?.outcome.fitness ?? 0
        #expect(fitness >= best)
        best = fitness
      }
    }
    #expect(best == engine.candidates.map(\.outcome.fitness).max())
  }

  @Test("beats random sampling on average over seeds", arguments: Policies.all)
  func beatsRandom(policy: SearchPolicy) {
    for landscape in Landscape.all {
      var searched = 0.0
      var sampled = 0.0
      for seed in UInt64(0)..<6 {
        var engine = SearchEngine(
          configuration: Self.configuration(policy, seed: seed), space: landscape.space)
        _ = engine.run(on: landscape)
        searched += engine.champion?.outcome.fitness ?? 0
        sampled += landscape.bestOfRandom(90, seed: seed)
      }
      print("simulation", policy, landscape.name, searched / 6, "random", sampled / 6)
      #expect(searched > sampled, "\(landscape.name), seeds 0 to 5")
    }
  }
}
