import CodeGeneration
import Hardware
import KernelSpec
import Knowledge
import Search

/// Learns during a search what schedules of its program cost, and ranks schedules by it.
///
/// Starts with what earlier searches of such programs taught. Learns anew when a quarter more candidates are known.
struct CostLearner {
  private let plan: KernelPlan
  private let features: ScheduleFeatures
  let kind: CostKind
  /// What other searches taught; nothing where the model is switched off.
  private let others: [CostSample]
  private let isOn: Bool
  /// What this search taught, by the order of its candidates.
  private(set) var own: [CostSample] = []
  private var learnedFrom = 0
  private var model: CostModel?

  /// - Parameter records: `nil` to rank by rules alone.
  init(_ plan: KernelPlan, records: CostRecords?) {
    self.plan = plan
    features = ScheduleFeatures(of: plan.fused, in: plan.space, on: plan.hardware)
    kind = CostKind(structure: features.structure, hardware: plan.hardware.tuning)
    isOn = records != nil
    others = records?.samples(of: kind) ?? []
    learn()
  }

  /// Takes note of what became of candidates.
  mutating func note(_ candidates: some Sequence<CandidateRecord>) {
    guard isOn else { return }
    own += candidates.compactMap(sample)
    if own.count >= learnedFrom + max(4, learnedFrom / 4) { learn() }
  }

  func sample(of candidate: CandidateRecord) -> CostSample? {
    switch candidate.outcome {
    // Rules are known without learning.
    case .illegal: nil
    default:
      CostSample(
        features: features.values(of: candidate.schedule), speedup: candidate.outcome.fitness)
    }
  }

  private mutating func learn() {
    learnedFrom = own.count
    if isOn { model = CostModel(own: own, others: others) }
  }
}

extension CostLearner: ScheduleRanking {
  func scores(of schedules: [Schedule]) -> [Double?] {
    let gains = model?.gains(of: schedules.map(features.values)) ?? schedules.map { _ in 0 }
    return zip(schedules, gains).map { schedule, gain in
      plan.generator.violation(of: schedule, for: plan.fused) == nil ? Double(gain) : nil
    }
  }
}
