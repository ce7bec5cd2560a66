import KernelSpec
import Support

extension SearchSpace {
  /// The random schedule, of eight, that is farthest from all of `known`: drafts fill the space.
  ///
  /// Source: best-candidate sampling, Mitchell, "Spectrally optimal sampling for distribution ray tracing"
  /// (SIGGRAPH 1991).
  func draft(awayFrom known: [Schedule], _ random: inout SeededRandom) -> Schedule {
    var best = self.random(&random)
    var bestDistance = clearance(of: best, from: known)
    for _ in 1..<8 {
      let candidate = self.random(&random)
      let distance = clearance(of: candidate, from: known)
      if distance > bestDistance { (best, bestDistance) = (candidate, distance) }
    }
    return best
  }

  private func clearance(of schedule: Schedule, from known: [Schedule]) -> Double {
    known.map { distance(schedule, $0) }.min() ?? 0
  }

  /// The schedule with one or two parameters changed, mostly by one step; or with another sketch.
  func mutated(_ schedule: Schedule, _ random: inout SeededRandom) -> Schedule {
    let kernels = self.kernels.indices.filter { self.kernels[$0].count > 1 }
    if random.chance(0.1), let kernel = random.choice(kernels) {
      return withAnotherSketch(schedule, kernel: kernel, &random)
    }
    let slots = slots(of: schedule).filter { $0.domain.values.count > 1 }
    var mutated = schedule
    for _ in 0..<(random.chance(0.35) ? 2 : 1) {
      guard let slot = random.choice(slots) else { break }
      slot.set(Self.moved(slot, in: mutated, &random), in: &mutated)
    }
    return mutated
  }

  private static func moved(
    _ slot: ScheduleSlot, in schedule: Schedule, _ random: inout SeededRandom
  ) -> Int {
    let values = slot.domain.values
    let position = slot.position(in: schedule)
    if random.chance(0.2) {
      // Any other value: skipping the present one keeps the others equally likely.
      let other = random.below(values.count - 1)
      return values[other >= position ? other + 1 : other]
    }
    let up = random.chance(0.5)
    let next = position + (up ? 1 : -1)
    return values[values.indices.contains(next) ? next : position + (up ? -1 : 1)]
  }

  private func withAnotherSketch(
    _ schedule: Schedule, kernel: Int, _ random: inout SeededRandom
  ) -> Schedule {
    let present = schedule.kernels[kernel]
    let others = kernels[kernel].filter { $0.sketch != present.sketch }
    guard let other = random.choice(others) else { return schedule }
    var result = schedule
    result.kernels[kernel] = KernelSchedule(
      sketch: other.sketch, parameters: Self.projected(present.parameters, on: other.parameters))
    return result
  }

  /// A schedule with each kernel from either parent; where both use one sketch, with each parameter from
  /// either.
  func crossed(
    _ first: Schedule, _ second: Schedule, _ random: inout SeededRandom
  ) -> Schedule {
    var child = first
    for index in child.kernels.indices where child.kernels[index] != second.kernels[index] {
      if child.kernels[index].sketch != second.kernels[index].sketch, random.chance(0.5) {
        child.kernels[index] = second.kernels[index]
      }
    }
    for slot in slots(of: child) {
      let isShared = slot.kernel.map { first.kernels[$0].sketch == second.kernels[$0].sketch }
      guard isShared ?? true, let value = slot.value(in: second) else { continue }
      if random.chance(0.5) { slot.set(value, in: &child) }
    }
    return child
  }

  /// `failed` moved toward `working`: another sketch is taken back first; then the parameter that differs by
  /// the fewest steps is moved half of its way, and the whole way when that is one step.
  func repaired(_ failed: Schedule, toward working: Schedule) -> Schedule {
    var repaired = failed
    let changed = failed.kernels.indices.first {
      failed.kernels[$0].sketch != working.kernels[$0].sketch
    }
    if let changed {
      repaired.kernels[changed] = working.kernels[changed]
      return repaired
    }
    func steps(_ slot: ScheduleSlot) -> Int {
      abs(slot.position(in: failed) - slot.position(in: working))
    }
    let differing = slots(of: failed).filter { steps($0) > 0 }
    guard let slot = differing.min(by: { steps($0) < steps($1) }) else { return failed }
    let middle =
      slot.position(in: working)
      + (slot.position(in: failed) - slot.position(in: working)) / 2
    slot.set(slot.domain.values[middle], in: &repaired)
    return repaired
  }
}
