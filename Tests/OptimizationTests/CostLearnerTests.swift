import CodeGeneration
import Hardware
import KernelSpec
import Knowledge
import Support
import TestSupport
import Testing

@testable import Optimization

@Suite("What schedules cost") struct CostLearnerTests {
  private let folder = TemporaryFolder()

  private func plan(_ text: String = "matmul(a: f32[96,64], b: f32[64,80])") throws -> KernelPlan {
    try KernelPlan(spec: Spec.parse(text).checked(), hardware: HardwareProbe.host())
  }

  private func records(version: String = "1") -> CostRecords {
    CostRecords(directory: folder.file("costs"), version: version)
  }

  /// Schedules of the plan's first sketch, some of which break a rule.
  private func schedules(of plan: KernelPlan, _ count: Int, seed: UInt64) -> [Schedule] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
      var schedule = plan.space.defaultSchedule
      for domain in plan.space.kernels[0].sketches[0].parameters {
        schedule.kernels[0].parameters[domain.name] = domain.values.randomElement(using: &random)
      }
      return schedule
    }
  }

  /// Candidates of a made-up machine on which large register tiles are fast.
  private func candidates(of plan: KernelPlan, _ count: Int, seed: UInt64) -> [CandidateRecord] {
    schedules(of: plan, count, seed: seed).enumerated().map { id, schedule in
      CandidateRecord(
        id: id, parents: [], proposer: "draft", schedule: schedule,
        outcome: .measured(
          artifact: Digest(of: [] as [UInt8]), fitness: fitness(of: schedule), nanoseconds: 1),
        island: 0)
    }
  }

  private func fitness(of schedule: Schedule) -> Double {
    let parameters = schedule.kernels[0].parameters
    return Double((parameters["mr"] ?? 0) * (parameters["nv"] ?? 0) + 1) / 16
  }

  /// The share of pairs of legal schedules that scores put in the order of their fitness.
  private func agreement(_ learner: CostLearner, on plan: KernelPlan) -> Double {
    let held = schedules(of: plan, 120, seed: 99)
    let scored = zip(held, learner.scores(of: held)).compactMap { schedule, score in
      score.map { (fitness: fitness(of: schedule), score: $0) }
    }
    var (right, all) = (0, 0)
    for (position, first) in scored.enumerated() {
      for second in scored[..<position] where second.fitness != first.fitness {
        all += 1
        if (second.fitness < first.fitness) == (second.score < first.score) { right += 1 }
      }
    }
    return Double(right) / Double(max(1, all))
  }

  @Test("without the model schedules are ranked by the generator's rules alone")
  func rules() throws {
    let plan = try plan()
    var learner = CostLearner(plan, records: nil)
    learner.note(candidates(of: plan, 40, seed: 1))
    let held = schedules(of: plan, 60, seed: 2)
    let legal = held.map { plan.generator.violation(of: $0, for: plan.fused) == nil }
    #expect(learner.scores(of: held) == legal.map { $0 ? 0 : nil })
    #expect(Set(legal) == [true, false])
    #expect(learner.own.isEmpty)
  }

  @Test("a search learns from its own candidates", .enabled(if: isInstalled))
  func learning() throws {
    let plan = try plan()
    var learner = CostLearner(plan, records: records())
    learner.note(candidates(of: plan, 80, seed: 3))
    #expect(agreement(learner, on: plan) > 0.75)
  }

  @Test(
    "what a search taught helps one of another shape from its first candidate on",
    .enabled(if: isInstalled))
  func transfer() throws {
    let first = try plan()
    var teacher = CostLearner(first, records: records())
    teacher.note(candidates(of: first, 80, seed: 4))
    try records().add(teacher.own, to: teacher.kind)
    let second = try plan("matmul(a: f32[512,256], b: f32[256,384])")
    #expect(agreement(CostLearner(second, records: records()), on: second) > 0.7)
    // What another generator made means something else.
    let unversed = CostLearner(second, records: records(version: "2"))
    #expect(Set(unversed.scores(of: schedules(of: second, 20, seed: 5))).isSubset(of: [0, nil]))
  }

  @Test("candidates teach the same one by one as all at once")
  func parts() throws {
    let plan = try plan()
    let known = candidates(of: plan, 64, seed: 6)
    var whole = CostLearner(plan, records: records())
    whole.note(known)
    var parts = CostLearner(plan, records: records())
    for candidate in known { parts.note([candidate]) }
    #expect(parts.own == whole.own)
  }

  private static var isInstalled: Bool {
    let samples = (0..<32).map {
      CostSample(features: ["a": Float($0)], speedup: Double($0))
    }
    return CostModel(own: samples) != nil
  }
}
