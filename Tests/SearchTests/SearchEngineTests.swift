import KernelSpec
import Search
import Testing

@Suite struct SearchEngineTests {
  private func engine(
    _ landscape: Landscape = .smooth, limits: TerminationLimits, transplants: [Schedule] = [],
    policy: SearchPolicy = .defaultPolicy
  ) -> SearchEngine {
    SearchEngine(
      configuration: SearchConfiguration(policy: policy, seed: 3, limits: limits),
      space: landscape.space, transplants: transplants)
  }

  @Test("every limit ends the search with its reason", arguments: Policies.all)
  func limits(policy: SearchPolicy) {
    let unlimited = TerminationLimits(seconds: 1e9, candidates: 10000, stall: 10000)
    let cases: [(TerminationReason, (inout TerminationLimits) -> Void)] = [
      (.seconds, { $0.seconds = 30 }), (.candidates, { $0.candidates = 41 }),
      (.stall, { $0.stall = 20 }), (.target, { $0.targetSpeedup = 1.2 }),
      (.roofline, { $0.baselineRooflineFraction = 0.5 }),
    ]
    for (reason, change) in cases {
      var limits = unlimited
      change(&limits)
      var engine = engine(limits: limits, policy: policy)
      #expect(engine.run(on: .smooth) == reason)
      #expect(engine.termination == reason)
      #expect(engine.next(now: 1e12) == .finish(reason))
      if reason == .candidates { #expect(engine.candidates.count == 41) }
    }
  }

  @Test("time that was spent before a restart counts, time in between does not")
  func timeAcrossRestarts() {
    let limits = TerminationLimits(seconds: 50, candidates: 10000, stall: 10000)
    var first = engine(limits: limits)
    _ = first.next(now: 100)
    first.record(id: 0, outcome: Landscape.measured(1), at: 140)
    var second = SearchEngine(resuming: first.checkpoint, candidates: first.candidates)
    guard case .evaluate(let proposals) = second.next(now: 9000) else {
      Issue.record("ended before its time")
      return
    }
    for proposal in proposals {
      second.record(id: proposal.id, outcome: Landscape.measured(1), at: 9010)
    }
    #expect(second.next(now: 9010) == .finish(.seconds))
  }

  @Test(
    "a small space is tried as a whole, once each, and is then exhausted", arguments: Policies.all)
  func exhausted(policy: SearchPolicy) {
    let domain = ParameterDomain("p", [1, 2, 2, 4], default: 2)
    let sketches = [
      SketchSpace(sketch: "one", parameters: [domain]),
      SketchSpace(sketch: "two", parameters: [domain, ParameterDomain("q", [], default: 9)]),
    ]
    let space = ScheduleSpace(
      kernels: [KernelSpace(name: "small", sketches: sketches)],
      build: [ParameterDomain("level", [2, 3], default: 2)])
    for isAllIllegal in [false, true] {
      let landscape = Landscape(name: "small", space: space) { schedule in
        isAllIllegal
          ? .illegal(reason: "no") : Landscape.measured(Double(schedule.build["level"] ?? 0))
      }
      var engine = engine(landscape, limits: TerminationLimits(), policy: policy)
      #expect(engine.run(on: landscape) == .exhausted)
      #expect(engine.candidates.count == 12)
      #expect(Set(engine.candidates.map(\.schedule)).count == 12)
      #expect((engine.champion == nil) == isAllIllegal)
    }
  }

  @Test("a space with one schedule, or none to choose, ends after the baseline")
  func trivialSpace() {
    let landscape = Landscape(name: "none", space: ScheduleSpace(kernels: [])) { _ in
      Landscape.measured(1)
    }
    var engine = engine(landscape, limits: TerminationLimits())
    #expect(engine.run(on: landscape) == .exhausted)
    #expect(engine.candidates.count == 1)
  }

  @Test("a space in which everything is illegal ends at the limit of candidates")
  func allIllegal() {
    let landscape = Landscape(name: "illegal", space: Landscape.rugged.space) { _ in
      .illegal(reason: "no")
    }
    var engine = engine(landscape, limits: TerminationLimits(candidates: 10))
    #expect(engine.run(on: landscape) == .candidates)
    #expect(engine.champion == nil)
  }

  @Test("the best transplants are tried right after the baseline, moved into the space")
  func transplants() {
    let transplant = Schedule(kernels: [
      KernelSchedule(sketch: "packed", parameters: ["rows": 9, "vectors": 2, "unknown": 1])
    ])
    var engine = engine(
      .contraction, limits: TerminationLimits(candidates: 9), transplants: [transplant])
    _ = engine.run(on: .contraction)
    let candidate = engine.candidates[1]
    #expect(candidate.proposer == "transplant")
    #expect(candidate.schedule.kernels[0].sketch == "packed")
    #expect(
      candidate.schedule.kernels[0].parameters
        == ["rows": 8, "vectors": 2, "depth": 32, "block": 24])
  }

  @Test("an offered schedule is proposed next, once")
  func offers() {
    var engine = engine(limits: TerminationLimits(candidates: 20))
    _ = engine.next(now: 0)
    engine.record(id: 0, outcome: Landscape.measured(1), at: 0)
    let offered = Schedule(kernels: [
      KernelSchedule(sketch: "only", parameters: ["a": 32, "b": 8, "c": 64, "d": 4])
    ])
    engine.offer(schedule: offered)
    engine.offer(schedule: offered)
    guard case .evaluate(let proposals) = engine.next(now: 0) else {
      Issue.record("nothing proposed")
      return
    }
    #expect(proposals.first?.schedule == offered)
    #expect(proposals.first?.proposer == "model")
    #expect(proposals.filter { $0.schedule == offered }.count == 1)
  }

  @Test("every proposer of the operator takes part, and failures are repaired toward what worked")
  func proposers() {
    var engine = engine(
      .contraction, limits: TerminationLimits(seconds: 1e9, candidates: 200, stall: 1000))
    _ = engine.run(on: .contraction)
    let names = Set(engine.candidates.map(\.proposer))
    #expect(names == ["draft", "mutate", "crossover", "repair"])
    for repaired in engine.candidates where repaired.proposer == "repair" {
      let parent = engine.candidates[repaired.parents[0]]
      #expect(parent.outcome.fitness == 0)
      #expect(!parent.parents.isEmpty)
    }
  }

  @Test("outcomes that are not expected, or no numbers, change nothing")
  func strayOutcomes() {
    var engine = engine(limits: TerminationLimits())
    _ = engine.next(now: 0)
    #expect(engine.record(id: 5, outcome: Landscape.measured(3), at: 0).isEmpty)
    #expect(engine.record(id: 0, outcome: Landscape.measured(.nan), at: 0).count == 1)
    #expect(engine.record(id: 0, outcome: Landscape.measured(3), at: 0).isEmpty)
    #expect(engine.champion == nil)
  }

  @Test("stored candidates that do not fit are ignored, and the search goes on")
  func damagedStore() {
    var engine = engine(.contraction, limits: TerminationLimits(candidates: 30))
    _ = engine.run(on: .contraction)
    var records = engine.candidates
    records[6].schedule.kernels[0].sketch = "gone"
    records[9].parents = [500]
    var checkpoint = engine.checkpoint
    checkpoint.termination = nil
    var resumed = SearchEngine(resuming: checkpoint, candidates: records)
    #expect(resumed.candidates.count == 6)
    #expect(resumed.run(on: .contraction) == .candidates)
    #expect(Set(resumed.candidates.map(\.schedule)).count == resumed.candidates.count)
  }
}
