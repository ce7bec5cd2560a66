import KernelSpec

/// The place of one parameter in a schedule.
struct ScheduleSlot {
  /// `nil` for a parameter of the build.
  var kernel: Int?
  var domain: ParameterDomain

  func value(in schedule: Schedule) -> Int? {
    guard let kernel else { return schedule.build[domain.name] }
    return schedule.kernels[kernel].parameters[domain.name]
  }

  func set(_ value: Int, in schedule: inout Schedule) {
    if let kernel {
      schedule.kernels[kernel].parameters[domain.name] = value
    } else {
      schedule.build[domain.name] = value
    }
  }

  /// The position of the schedule's value in the domain; 0 for a value that the domain does not have.
  func position(in schedule: Schedule) -> Int {
    value(in: schedule).flatMap(domain.values.firstIndex(of:)) ?? 0
  }
}

extension SearchSpace {
  /// Every parameter of the schedule, in a fixed order.
  func slots(of schedule: Schedule) -> [ScheduleSlot] {
    let kernels = zip(kernels.indices, schedule.kernels).flatMap { index, kernel in
      (sketch(kernel.sketch, kernel: index)?.parameters ?? []).map {
        ScheduleSlot(kernel: index, domain: $0)
      }
    }
    return kernels + build.map { ScheduleSlot(kernel: nil, domain: $0) }
  }

  /// How different two schedules are: the share of each domain between their values, and 1 for each
  /// parameter of a kernel whose sketches differ.
  func distance(_ first: Schedule, _ second: Schedule) -> Double {
    slots(of: first).reduce(0) { sum, slot in
      if let kernel = slot.kernel {
        guard second.kernels.indices.contains(kernel),
          second.kernels[kernel].sketch == first.kernels[kernel].sketch
        else { return sum + 1 }
      }
      let gap = abs(slot.position(in: first) - slot.position(in: second))
      return sum + Double(gap) / Double(max(1, slot.domain.values.count - 1))
    }
  }
}
