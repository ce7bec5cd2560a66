import CodeGeneration
import Hardware
import KernelSpec
import Support
import TensorProgram
import Testing

@Suite("Contractions")
struct ContractionTests {
  static let toolchains = [("clang", "-O2"), ("gcc", "-O1")]

  @Test("products of any shape, layout and type equal the naive loops", arguments: toolchains)
  func products(_ toolchain: (String, String)) throws {
    var random = SeededRandom(seed: 11)
    let cases = (0..<25).map { number in
      let type = [DType.f32, .f32, .f64, .i32, .i64][number % 5]
      return ContractionCase.product(
        type, batch: Int.random(in: 1...2, using: &random),
        rows: Int.random(in: 2...40, using: &random),
        columns: Int.random(in: 2...(number % 3 == 0 ? 70 : 40), using: &random),
        depth: Int.random(in: 1...(number % 4 == 0 ? 90 : 30), using: &random),
        transposed: (Bool.random(using: &random), Bool.random(using: &random)))
    }
    try check(cases, toolchain) { Self.randomSchedule($0, &random) }
  }

  @Test("convolutions of every kind equal the naive loops", arguments: toolchains)
  func convolutions(_ toolchain: (String, String)) throws {
    var random = SeededRandom(seed: 12)
    let windows = (0..<20).map { number in
      var window = Window()
      window.batch = Int.random(in: 1...2, using: &random)
      window.groups = number % 3 == 0 ? 2 : 1
      window.channels = Int.random(in: 1...4, using: &random)
      window.filters = Int.random(in: 2...9, using: &random)
      window.size = (
        Int.random(in: 4...9, using: &random), Int.random(in: 4...21, using: &random)
      )
      window.kernel = (
        Int.random(in: 1...3, using: &random), Int.random(in: 1...3, using: &random)
      )
      window.stride = Int.random(in: 1...2, using: &random)
      window.dilation = Int.random(in: 1...(number % 2 + 1), using: &random)
      window.padding = Int.random(in: 0...1, using: &random)
      window.transposed = number % 4 == 1
      return window.contraction
    }
    try check(windows, toolchain) { Self.randomSchedule($0, &random) }
  }

  @Test("bias, activation, residual and a kept sum are applied once", arguments: toolchains)
  func epilogues(_ toolchain: (String, String)) throws {
    var random = SeededRandom(seed: 13)
    let cases = [(16, 48, 20), (13, 50, 37), (33, 17, 70), (8, 16, 0)].flatMap {
      rows, columns, depth in
      [true, false].map {
        ContractionCase.linear(rows: rows, columns: columns, depth: depth, keepsSum: $0)
      }
    }
    try check(cases, toolchain) { Self.randomSchedule($0, &random) }
  }

  @Test("every parameter's extremes give the same result", arguments: toolchains)
  func extremes(_ toolchain: (String, String)) throws {
    let cases = [
      ContractionCase.product(
        .f32, batch: 2, rows: 29, columns: 32, depth: 36, transposed: (false, false)),
      ContractionCase.product(
        .f64, batch: 1, rows: 19, columns: 29, depth: 37, transposed: (true, true)),
      Window(filters: 9, size: (7, 19)).contraction,
    ]
    var schedules: [(ContractionCase, KernelSchedule)] = []
    for example in cases {
      let site = Self.site(example)
      let domains = ContractionSketch().parameters(for: site)
      let defaults = Dictionary(uniqueKeysWithValues: domains.map { ($0.name, $0.defaultValue) })
      for domain in domains {
        for value in Set([domain.values[0], domain.values[domain.values.count - 1]]).sorted() {
          let schedule = KernelSchedule(
            sketch: "contraction",
            parameters: defaults.merging([domain.name: value]) { $1 })
          guard ContractionSketch().violation(of: schedule, for: site) == nil else { continue }
          schedules.append((example, schedule))
        }
      }
    }
    var remaining = schedules.map(\.1)[...]
    try check(schedules.map(\.0), toolchain) { _ in remaining.removeFirst() }
  }

  @Test("kernels without two factors that each have an axis of their own are declined")
  func declines() {
    let vector = ContractionCase.product(
      .f32, batch: 1, rows: 1, columns: 9, depth: 9, transposed: (false, false))
    let dot = ContractionCase.product(
      .f32, batch: 1, rows: 1, columns: 1, depth: 9, transposed: (false, false))
    let depthwise = Window(groups: 8, channels: 1, filters: 1).contraction
    for example in [vector, dot, depthwise] {
      #expect(!ContractionSketch().matches(Self.site(example)), "\(example.name)")
    }
  }

  @Test("defaults are legal, and tiles that do not fit the registers are not")
  func legality() throws {
    for example in [
      ContractionCase.product(
        .f32, batch: 1, rows: 64, columns: 64, depth: 64, transposed: (false, true)),
      Window().contraction,
    ] {
      let site = Self.site(example)
      let sketch = ContractionSketch()
      let domains = sketch.parameters(for: site)
      for domain in domains { #expect(domain.values.contains(domain.defaultValue)) }
      var parameters = Dictionary(uniqueKeysWithValues: domains.map { ($0.name, $0.defaultValue) })
      let schedule = KernelSchedule(sketch: sketch.name, parameters: parameters)
      #expect(sketch.violation(of: schedule, for: site) == nil)
      parameters["mr"] = 16
      parameters["nv"] = 4
      let large = KernelSchedule(sketch: sketch.name, parameters: parameters)
      #expect(sketch.violation(of: large, for: site) != nil)
    }
  }

  // MARK: - Running

  static func site(_ example: ContractionCase, position: Int = 0) -> KernelSite {
    let hardware = HardwareDescription(
      compatibility: CompatibilityIdentity(architecture: "x86_64", features: [], libc: ""),
      tuning: TuningIdentity(
        model: "test", architecture: "x86_64", vectorFeatures: [], vectorBytes: 32,
        vectorRegisters: 32, threads: 2, cacheBytes: [32 << 10, 1 << 20, 32 << 20]))
    return KernelSite(
      program: example.program, kernel: example.kernel, position: position, hardware: hardware,
      language: .c)
  }

  static func randomSchedule(_ site: KernelSite, _ random: inout SeededRandom) -> KernelSchedule {
    let sketch = ContractionSketch()
    let domains = sketch.parameters(for: site)
    while true {
      var parameters: [String: Int] = [:]
      for domain in domains {
        parameters[domain.name] = domain.values.randomElement(using: &random)
      }
      if Bool.random(using: &random) { parameters["kc"] = 16 }
      let schedule = KernelSchedule(sketch: sketch.name, parameters: parameters)
      if sketch.violation(of: schedule, for: site) == nil { return schedule }
    }
  }

  private func check(
    _ cases: [ContractionCase], _ toolchain: (String, String),
    schedule: (KernelSite) -> KernelSchedule
  ) throws {
    guard ContractionBinary.has(toolchain.0) else { return }
    let sketch = ContractionSketch()
    var texts: [KernelText] = []
    var schedules: [KernelSchedule] = []
    for (position, example) in cases.enumerated() {
      let site = Self.site(example, position: position)
      try #require(sketch.matches(site), "\(example.name)")
      schedules.append(schedule(site))
      guard case .text(let text) = try sketch.lower(site, schedule: schedules[position]) else {
        Issue.record("no text")
        return
      }
      texts.append(text)
    }
    let binary = try ContractionBinary(texts, compiler: toolchain.0, options: toolchain.1)
    var random = SeededRandom(seed: 99)
    var known: [String: (inputs: [[Double]], expected: [[Double]])] = [:]
    for (position, example) in cases.enumerated() {
      let (inputs, expected) = known[example.name] ?? Self.evaluated(example, &random)
      known[example.name] = (inputs, expected)
      let buffers = example.program.buffers.enumerated().map { place, buffer in
        inputs.indices.contains(place)
          ? inputs[place] : [Double](repeating: -777, count: buffer.type.storageElementCount)
      }
      let actual = try #require(
        binary.run(position, buffers: buffers, program: example.program))
      for output in example.program.outputs {
        let worst = Self.difference(
          expected[output.position], actual[output.position],
          example.program[output].type.dtype)
        #expect(
          worst <= 1, "\(example.name) \(schedules[position].parameters) is off \(worst) times")
      }
    }
  }

  private static func evaluated(_ example: ContractionCase, _ random: inout SeededRandom)
    -> (inputs: [[Double]], expected: [[Double]])
  {
    let inputs = inputs(example, &random)
    let naive = ContractionInterpreter(example.program, example.kernel, inputs: inputs)
    return (inputs, naive.values)
  }

  private static func inputs(_ example: ContractionCase, _ random: inout SeededRandom)
    -> [[Double]]
  {
    example.program.inputs.map { input in
      let type = example.program[input].type
      return (0..<type.storageElementCount).map { _ in
        type.dtype.isInteger
          ? Double(Int.random(in: -9...9, using: &random))
          : Double(Float(random.uniform() * 2 - 1))
      }
    }
  }

  /// The largest difference, in units of what is allowed; infinite when an element was not written.
  private static func difference(_ expected: [Double], _ actual: [Double], _ type: DType)
    -> Double
  {
    let allowed = type == .f32 ? 1e-4 : type == .f64 ? 1e-11 : 0.5
    return zip(expected, actual).reduce(0) { worst, pair in
      let difference = abs(pair.0 - pair.1)
      return difference.isNaN ? .infinity : max(worst, difference / allowed)
    }
  }
}
