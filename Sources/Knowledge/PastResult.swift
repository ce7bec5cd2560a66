package import Hardware
package import KernelSpec

/// The best schedule that an earlier search found for one kernel.
package struct PastResult: Sendable, Hashable, Codable {
  /// The name of the kernel's space, for example `contraction 1024x1024x1024`.
  package var kernel: String
  package var schedule: KernelSchedule
  /// Parameters of the build that it was measured with.
  package var build: [String: Int]
  /// Over the baseline of its own search.
  package var speedup: Double
  package var hardware: TuningIdentity

  package init(
    kernel: String, schedule: KernelSchedule, build: [String: Int], speedup: Double,
    hardware: TuningIdentity
  ) {
    self.kernel = kernel
    self.schedule = schedule
    self.build = build
    self.speedup = speedup
    self.hardware = hardware
  }
}

/// Finds results whose schedules are worth trying again.
package struct PastResults: Sendable {
  package var results: [PastResult]

  package init(_ results: [PastResult]) { self.results = results }

  /// Results for kernels of the same kind, nearest first.
  ///
  /// The distance is that of the sizes in doublings, plus that of the hardware: 4 for another architecture,
  /// 2 for another width of vectors, 1 for another model, and the doublings between numbers of threads.
  /// Of equally near ones the higher speedup goes first. Results that were no faster than their baseline
  /// are left out.
  package func nearest(to kernel: String, on hardware: TuningIdentity, limit: Int) -> [PastResult] {
    let name = KernelName(kernel)
    let ranked = results.enumerated().compactMap { position, result -> Ranked? in
      guard result.speedup > 1, let distance = name.distance(to: KernelName(result.kernel)) else {
        return nil
      }
      let total = distance + result.hardware.distance(to: hardware)
      return Ranked(result: result, distance: total, position: position)
    }
    return ranked.sorted(by: Ranked.isBefore).prefix(max(0, limit)).map(\.result)
  }

  /// Whole schedules for a space, made of the nearest results of each of its kernels: the first of the
  /// nearest of each, the second of the second nearest, and so on; defaults where there is none.
  package func transplants(
    for space: ScheduleSpace, on hardware: TuningIdentity, limit: Int
  ) -> [Schedule] {
    let nearest = space.kernels.map { self.nearest(to: $0.name, on: hardware, limit: limit) }
    let depth = nearest.map(\.count).max() ?? 0
    let defaults = space.defaultSchedule
    var schedules: [Schedule] = []
    for rank in 0..<depth {
      var schedule = defaults
      for (index, results) in nearest.enumerated() where !results.isEmpty {
        let result = results[min(rank, results.count - 1)]
        schedule.kernels[index] = result.schedule
        if index == 0 { schedule.build.merge(result.build) { $1 } }
      }
      if schedule != defaults, !schedules.contains(schedule) { schedules.append(schedule) }
    }
    return schedules
  }

  private struct Ranked {
    var result: PastResult
    var distance: Double
    var position: Int

    static func isBefore(_ first: Ranked, _ second: Ranked) -> Bool {
      if first.distance != second.distance { return first.distance < second.distance }
      if first.result.speedup != second.result.speedup {
        return first.result.speedup > second.result.speedup
      }
      return first.position < second.position
    }
  }
}
