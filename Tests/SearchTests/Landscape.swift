import Glibc
import KernelSpec
import Search
import Support

/// A made-up machine: a space and what each schedule of it gives.
struct Landscape: Sendable {
  var name: String
  var space: ScheduleSpace
  var outcome: @Sendable (Schedule) -> CandidateOutcome

  static let powers = (0..<8).map { 1 << $0 }

  /// One optimum, each parameter on its own.
  static let smooth = Landscape(
    name: "smooth",
    space: ScheduleSpace(kernels: [
      KernelSpace(
        name: "smooth",
        sketches: [
          SketchSpace(
            sketch: "only",
            parameters: ["a", "b", "c", "d"].map {
              ParameterDomain($0, powers, default: 1, isFeature: $0 == "a")
            })
        ])
    ])
  ) { schedule in
    let values = schedule.kernels[0].parameters
    let best = ["a": 5.0, "b": 3.0, "c": 6.0, "d": 2.0]
    let loss = best.reduce(0) { $0 + abs(log2(Double(values[$1.key] ?? 1)) - $1.value) }
    return measured(10 / (1 + loss))
  }

  /// A contraction: tiles must fit registers (else illegal) and cache (else slow), threads must divide the
  /// rows, and a second sketch is better only with the right depth.
  static let contraction = Landscape(
    name: "contraction",
    space: ScheduleSpace(
      kernels: [
        KernelSpace(
          name: "contraction",
          sketches: [
            SketchSpace(
              sketch: "direct",
              parameters: tiles + [ParameterDomain("unroll", [1, 2, 4], default: 1)]),
            SketchSpace(
              sketch: "packed",
              parameters: tiles + [
                ParameterDomain("depth", [32, 64, 128, 256, 512, 1024], default: 32),
                ParameterDomain("block", [24, 48, 96, 192, 384, 768], default: 24),
              ]),
          ])
      ], build: [ParameterDomain("level", [2, 3], default: 2)]), outcome: contract)

  private static let tiles = [
    ParameterDomain("rows", [1, 2, 4, 6, 8, 12, 14], default: 1, isFeature: true),
    ParameterDomain("vectors", [1, 2, 3, 4, 6], default: 1, isFeature: true),
  ]

  @Sendable private static func contract(_ schedule: Schedule) -> CandidateOutcome {
    let kernel = schedule.kernels[0]
    func value(_ name: String) -> Double { Double(kernel.parameters[name] ?? 1) }
    let registers = value("rows") * value("vectors") + value("rows") / 4 + value("vectors")
    if registers > 40 { return .illegal(reason: "registers") }
    if registers > 36 { return .compileFailed(log: "spills") }
    let reuse = value("rows") * value("vectors") / (value("rows") + value("vectors"))
    var fitness = 1 + reuse * (registers > 31 ? 0.3 : 1)
    if kernel.sketch == "packed" {
      let footprint = value("depth") * value("block") * 4
      fitness *= footprint > 786_432 ? 0.6 : 0.8 + 0.8 * value("depth") / (value("depth") + 128)
      fitness *= 0.7 + 0.5 * value("block") / (value("block") + 96)
    } else {
      fitness *= 0.8 + 0.1 * log2(value("unroll"))
    }
    return measured(fitness * (schedule.build["level"] == 3 && registers > 24 ? 0.8 : 1))
  }

  /// Many local optima: two kernels, parity and ripples.
  static let rugged = Landscape(
    name: "rugged",
    space: ScheduleSpace(
      kernels: (0..<2).map { kernel in
        KernelSpace(
          name: "rugged \(kernel)",
          sketches: [
            SketchSpace(
              sketch: "only",
              parameters: ["x", "y", "z"].map {
                ParameterDomain($0, Array(0..<12), default: 0, isFeature: $0 == "x")
              })
          ])
      })
  ) { schedule in
    let total = schedule.kernels.reduce(0.0) { sum, kernel in
      let x = Double(kernel.parameters["x"] ?? 0)
      let y = Double(kernel.parameters["y"] ?? 0)
      let z = Double(kernel.parameters["z"] ?? 0)
      let bowl = pow(x - 8, 2) + pow(y - 3, 2) + pow(z - 6, 2)
      return sum + 4 / (1 + bowl / 20) + 0.6 * cos(2 * x) * cos(2 * y) + (x + z == 14 ? 0.5 : 0)
    }
    return measured(max(0.1, total))
  }

  /// The best of `count` schedules, each sketch and value drawn uniformly; illegal ones cost nothing, as in a
  /// search.
  func bestOfRandom(_ count: Int, seed: UInt64) -> Double {
    var random = SeededRandom(seed: seed)
    func values(_ domains: [ParameterDomain]) -> [String: Int] {
      domains.reduce(into: [:]) {
        $0[$1.name] = $1.values.randomElement(using: &random) ?? $1.defaultValue
      }
    }
    var best = 0.0
    var legal = 0
    while legal < count {
      let kernels = space.kernels.map { kernel in
        let sketch = kernel.sketches.randomElement(using: &random) ?? kernel.sketches[0]
        return KernelSchedule(sketch: sketch.sketch, parameters: values(sketch.parameters))
      }
      let outcome = outcome(Schedule(kernels: kernels, build: values(space.build)))
      if case .illegal = outcome { continue }
      legal += 1
      best = max(best, outcome.fitness)
    }
    return best
  }

  static let all = [smooth, contraction, rugged]

  static func measured(_ fitness: Double) -> CandidateOutcome {
    .measured(artifact: Digest(of: []), fitness: fitness, nanoseconds: 1000 / fitness)
  }
}

extension SearchEngine {
  /// Searches until the end with outcomes of the landscape; each evaluation takes a second.
  mutating func run(on landscape: Landscape, clock: Double = 0) -> TerminationReason {
    var clock = clock
    while true {
      switch next(now: clock) {
      case .evaluate(let proposals):
        for proposal in proposals {
          clock += 1
          record(id: proposal.id, outcome: landscape.outcome(proposal.schedule), at: clock)
        }
      case .wait: return .exhausted
      case .finish(let reason): return reason
      }
    }
  }
}

enum Policies {
  static let all: [SearchPolicy] = [
    .greedy, .beam(width: 4), .uct(exploration: 0.3), .islands(count: 3, migrationInterval: 30),
  ]
}
