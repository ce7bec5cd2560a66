import CacheStore
import CodeGeneration
import Evaluation
package import KernelSpec

/// Tries schedules of their own in parts of a family's sizes, and keeps those that pay.
struct FamilySpecialiser: Sendable {
  let maker: FamilyMaker
  let family: SpecFamily
  let key: KernelKey

  private var sources: FamilySourceMaker {
    FamilySourceMaker(family: family, workshop: maker.workshop)
  }

  /// Measures in each bucket a schedule of its own beside the general one, and publishes a kernel that has those that
  /// won, with the evidence of all.
  ///
  /// - Parameter served: the kernel under the general schedule alone.
  /// - Throws: ``OptimizationError``.
  func specialise(_ served: StoredKernel) async throws(OptimizationError) -> StoredKernel {
    let general = try await sources.general()
    var buckets = FamilyBuckets.of(family.symbols)
    var own: [FamilySourceMaker.OwnSchedule] = []
    for position in buckets.indices {
      guard let schedule = try schedule(for: buckets[position], beside: general.schedule) else {
        buckets[position].reason = "the general schedule is the one of these sizes too"
        continue
      }
      own.append(.init(bucket: buckets[position], schedule: schedule))
    }
    let winners = try await measure(own, general, served, &buckets)
    let made = winners.isEmpty ? nil : try await sources.source(general.schedule, own: winners)
    guard let made else {
      for position in buckets.indices where buckets[position].isSpecialised {
        buckets[position].isSpecialised = false
        buckets[position].reason = "its own schedule has too little in common with the general one"
      }
      let built = Workshop.Built(source: general.source, artifact: served.artifact)
      return try maker.publish(
        built, served.evidence.checks, buckets: buckets, of: family, key, "")
    }
    let built = try await maker.compile(made, family)
    let checks = try await maker.verify(built.artifact, of: family, at: made.witnesses)
    return try maker.publish(built, checks, buckets: buckets, of: family, key, "")
  }

  /// The champion of a search at the largest sizes of a bucket, else the default there; `nil` for the general one.
  private func schedule(for bucket: Evidence.Bucket, beside general: Schedule)
    throws(OptimizationError) -> Schedule?
  {
    let plan = try sources.plan(at: bucket.upper)
    var schedule = try champion(of: plan.key) ?? plan.space.defaultSchedule
    // One source is compiled in one way.
    schedule.build = general.build
    let fits = plan.generator.violation(of: schedule, for: plan.fused) == nil
    return fits && schedule != general ? schedule : nil
  }

  /// The fastest schedule that a finished search of an instance found.
  private func champion(of key: KernelKey) throws(OptimizationError) -> Schedule? {
    do {
      guard let search = try maker.store.searches(key: key.digest).first(where: \.isFinished) else {
        return nil
      }
      let best = try maker.store.candidates(search: search.id).max {
        $0.outcome.fitness < $1.outcome.fitness
      }
      return best.flatMap { $0.outcome.fitness > 1 ? $0.schedule : nil }
    } catch {
      throw OptimizationError(storing: error)
    }
  }

  /// Times a source with every own schedule beside the served one, at the largest sizes of each bucket.
  ///
  /// - Returns: the schedules that are faster beyond doubt.
  private func measure(
    _ own: [FamilySourceMaker.OwnSchedule], _ general: FamilySourceMaker.Made,
    _ served: StoredKernel, _ buckets: inout [Evidence.Bucket]
  ) async throws(OptimizationError) -> [FamilySourceMaker.OwnSchedule] {
    if own.isEmpty { return [] }
    guard let made = try await sources.source(general.schedule, own: own) else {
      for position in buckets.indices {
        buckets[position].reason = "the schedules of the buckets have too little in common"
      }
      return []
    }
    let candidate = try await maker.compile(made, family)
    var winners: [FamilySourceMaker.OwnSchedule] = []
    for choice in own {
      guard let position = buckets.firstIndex(where: { $0.upper == choice.bucket.upper }) else {
        continue
      }
      let timing = try await time(candidate.artifact, served.artifact, at: choice.bucket.upper)
      let isFaster = (timing?.speedupLowerBound ?? 0) > Self.worthwhile
      buckets[position].timing = timing
      buckets[position].isSpecialised = isFaster
      buckets[position].reason =
        timing == nil
        ? "its own schedule could not be timed"
        : isFaster ? "its own schedule is faster" : "its own schedule is not faster beyond doubt"
      if isFaster { winners.append(choice) }
    }
    return winners
  }

  /// A schedule of its own must be at least so much faster, with 95 % confidence: what noise alone may seem to give.
  private static let worthwhile = 1.02

  /// - Returns: `nil` when the candidate is wrong there, or cannot be measured.
  private func time(_ candidate: Artifact, _ general: Artifact, at sizes: [Int])
    async throws(OptimizationError) -> Evidence.Timing?
  {
    let plan = try sources.plan(at: sizes)
    let workshop = maker.workshop
    do {
      return try await workshop.reservingMemory(for: plan) {
        let values = try await workshop.referenceValues(
          of: plan, on: VerificationDepth.screening.distributions(for: plan.work),
          seed: UInt64.random(in: 0 ... .max))
        let right = try await workshop.verify(candidate.at(plan), of: plan, against: values)
        guard right.failure == nil else { return nil }
        let (outcome, floor) = try await workshop.confirm(
          candidate.at(plan), against: general.at(plan), of: plan, values: values)
        guard case .measured(let timing) = outcome else { return nil }
        return timing.evidence(floorNanoseconds: floor)
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.environment, "\(family.name): \(error)")
    }
  }
}

/// How the sizes of a family are divided: each range into parts of about equal ratio.
package enum FamilyBuckets {
  package static func of(_ symbols: [SizeSymbol]) -> [Evidence.Bucket] {
    let most = [1, 6, 3, 2, 1][min(symbols.count, 4)]
    let parts = symbols.map { Self.parts(of: $0, most: most) }
    let boxes = parts.reduce([[]]) { boxes, next in
      boxes.flatMap { box in next.map { box + [$0] } }
    }
    return boxes.map { (box: [ClosedRange<Int>]) in
      Evidence.Bucket(
        lower: box.map(\.lowerBound), upper: box.map(\.upperBound), isSpecialised: false,
        timing: nil, reason: "")
    }
  }

  /// Parts whose ends differ by a factor of four, or more where that would make too many.
  static func parts(of symbol: SizeSymbol, most: Int) -> [ClosedRange<Int>] {
    var factor = 4
    while count(symbol, factor) > most { factor *= 2 }
    var parts: [ClosedRange<Int>] = []
    var lower = symbol.lower
    while lower <= symbol.upper {
      let wanted = min(max(lower, 1) * factor - 1, symbol.upper)
      let upper = symbol.lower + (wanted - symbol.lower) / symbol.step * symbol.step
      parts.append(lower...max(upper, lower))
      lower = max(upper, lower) + symbol.step
    }
    return parts
  }

  private static func count(_ symbol: SizeSymbol, _ factor: Int) -> Int {
    var count = 0
    var lower = symbol.lower
    while lower <= symbol.upper {
      lower = max(max(lower, 1) * factor, lower + symbol.step)
      count += 1
    }
    return count
  }
}
