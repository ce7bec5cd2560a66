import KernelSpec
import Support

/// A schedule space prepared for moves: every domain has at least one value, and none twice.
struct SearchSpace: Sendable {
  let kernels: [[SketchSpace]]
  let build: [ParameterDomain]
  /// How many schedules there are; `Int.max` when more than an `Int` holds.
  let count: Int

  init(_ space: ScheduleSpace) {
    kernels = space.kernels.map { kernel in
      kernel.sketches.map {
        SketchSpace(sketch: $0.sketch, parameters: $0.parameters.map(Self.prepared))
      }
    }
    build = space.build.map(Self.prepared)
    let builds = Self.product(build.map(\.values.count))
    count = Self.product(kernels.map(Self.choices) + [builds])
  }

  private static func prepared(_ domain: ParameterDomain) -> ParameterDomain {
    var known: Set<Int> = []
    var prepared = domain
    prepared.values = domain.values.filter { known.insert($0).inserted }
    if prepared.values.isEmpty { prepared.values = [domain.defaultValue] }
    return prepared
  }

  private static func choices(_ sketches: [SketchSpace]) -> Int {
    sketches.reduce(0) { sum, sketch in
      let next = sum.addingReportingOverflow(product(sketch.parameters.map(\.values.count)))
      return next.overflow ? Int.max : next.partialValue
    }
  }

  private static func product(_ factors: [Int]) -> Int {
    factors.reduce(1) { product, factor in
      let next = product.multipliedReportingOverflow(by: factor)
      return next.overflow ? Int.max : next.partialValue
    }
  }

  /// The sketch of a kernel by name; `nil` when the space does not have it.
  func sketch(_ name: String, kernel: Int) -> SketchSpace? {
    kernels.indices.contains(kernel) ? kernels[kernel].first { $0.sketch == name } : nil
  }

  /// Whether the schedule has this space's kernels, each with a sketch of the space.
  func contains(shapeOf schedule: Schedule) -> Bool {
    schedule.kernels.count == kernels.count
      && zip(kernels.indices, schedule.kernels).allSatisfy { index, kernel in
        sketch(kernel.sketch, kernel: index) != nil
      }
  }

  /// The schedule at a position of the enumeration, in `0..<count`.
  func schedule(at position: Int) -> Schedule {
    var rest = position
    func digit(_ base: Int) -> Int {
      defer { rest /= base }
      return rest % base
    }
    func values(_ domains: [ParameterDomain]) -> [String: Int] {
      domains.reduce(into: [:]) { $0[$1.name] = $1.values[digit($1.values.count)] }
    }
    let builds = values(build)
    let chosen = kernels.map { sketches in
      var within = digit(Self.choices(sketches))
      for sketch in sketches {
        let size = Self.product(sketch.parameters.map(\.values.count))
        guard within >= size else {
          swap(&rest, &within)
          defer { swap(&rest, &within) }
          return KernelSchedule(sketch: sketch.sketch, parameters: values(sketch.parameters))
        }
        within -= size
      }
      return sketches[0].defaultSchedule
    }
    return Schedule(kernels: chosen, build: builds)
  }

  /// Any schedule, each sketch and each value equally likely.
  func random(_ random: inout SeededRandom) -> Schedule {
    let chosen = kernels.map { sketches in
      let sketch = sketches[random.below(sketches.count)]
      return KernelSchedule(
        sketch: sketch.sketch, parameters: Self.randomValues(sketch.parameters, &random))
    }
    return Schedule(kernels: chosen, build: Self.randomValues(build, &random))
  }

  private static func randomValues(
    _ domains: [ParameterDomain], _ random: inout SeededRandom
  ) -> [String: Int] {
    var values: [String: Int] = [:]
    for domain in domains { values[domain.name] = domain.values[random.below(domain.values.count)] }
    return values
  }

  /// The nearest schedule of this space: what it does not know takes its default, a value that it does not
  /// have the nearest that it has.
  func projected(_ schedule: Schedule) -> Schedule {
    let chosen = kernels.indices.map { kernel in
      let given = schedule.kernels.indices.contains(kernel) ? schedule.kernels[kernel] : nil
      let known = given.flatMap { sketch($0.sketch, kernel: kernel) } ?? kernels[kernel][0]
      return KernelSchedule(
        sketch: known.sketch,
        parameters: Self.projected(given?.parameters ?? [:], on: known.parameters))
    }
    return Schedule(kernels: chosen, build: Self.projected(schedule.build, on: build))
  }

  static func projected(_ values: [String: Int], on domains: [ParameterDomain]) -> [String: Int] {
    domains.reduce(into: [:]) { result, domain in
      let wanted = values[domain.name] ?? domain.defaultValue
      let nearest = domain.values.min { gap($0, wanted) < gap($1, wanted) }
      result[domain.name] = nearest ?? domain.defaultValue
    }
  }

  /// The distance of two values; that between extremes is cut rather than overflowing.
  private static func gap(_ first: Int, _ second: Int) -> UInt {
    let gap = first.subtractingReportingOverflow(second)
    return gap.overflow ? .max : gap.partialValue.magnitude
  }

  /// The values of the parameters that are axes of diversity, with the sketches: a cell of an archive.
  func cell(of schedule: Schedule) -> [String] {
    zip(kernels.indices, schedule.kernels).flatMap { index, kernel in
      let domains = sketch(kernel.sketch, kernel: index)?.parameters ?? []
      let axes = domains.filter(\.isFeature)
      return [kernel.sketch] + axes.map { "\($0.name)=\(kernel.parameters[$0.name] ?? 0)" }
    } + build.filter(\.isFeature).map { "\($0.name)=\(schedule.build[$0.name] ?? 0)" }
  }
}
