import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

@Suite("Recurrent networks")
struct RecurrenceTests {
  @Test(
    "a loop over steps stays within the reference's errors under every kind of schedule",
    arguments: [
      Network("lstm", gates: 4, states: 2, steps: 11, batch: 3, size: 5, width: 40),
      Network("lstm", gates: 4, states: 2, steps: 4, batch: 1, size: 3, width: 33),
      Network("lstm", gates: 4, states: 2, steps: 5, batch: 2, size: 4, width: 9, dtype: "bf16"),
      Network("gru", gates: 3, states: 1, steps: 9, batch: 4, size: 6, width: 24),
      Network("gru", gates: 3, states: 1, steps: 6, batch: 2, size: 4, width: 7, dtype: "f64"),
      Network("rnn_tanh", gates: 1, states: 1, steps: 13, batch: 5, size: 4, width: 16),
    ])
  func agreement(_ network: Network) throws {
    let program = try network.program(isBidirectional: network.states == 1)
    let fused = program.fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let space = generator.space(for: fused)
    var random = SeededRandom(seed: 11)
    let inputs = program.randomInputs(&random)
    let reference = try run(ReferenceSource.make(for: program), inputs).outputs
    var schedules = [space.defaultSchedule]
    while schedules.count < 3 {
      let schedule = Self.randomSchedule(space, &random)
      if generator.violation(of: schedule, for: fused) == nil { schedules.append(schedule) }
    }
    for (position, schedule) in schedules.enumerated() {
      let source = try generator.source(for: fused, schedule: schedule)
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      #expect(actual.status == 0)
      let worst = Self.excess(of: actual.outputs, over: reference, program)
      #expect(worst <= 1, "\(network) \(compiler) \(schedule.kernels) is off \(worst) times")
    }
  }

  @Test("the kernels of a network are as many for a thousand steps as for two")
  func sizeIsThatOfAStep() throws {
    let counts = try [2, 1000].map { steps in
      let network = Network("lstm", gates: 4, states: 2, steps: steps, batch: 2, size: 3, width: 4)
      return try network.program(isBidirectional: false).fused().kernels.count
    }
    #expect(counts[0] == counts[1])
  }

  @Test("a network without a kernel in the language is refused by name")
  func refusal() throws {
    let network = Network("gru", gates: 3, states: 1, steps: 4, batch: 2, size: 3, width: 4)
    let fused = try network.program(isBidirectional: false).fused()
    let generator = CodeGenerator(hardware: testHardware, language: .openCL)
    let schedule = generator.space(for: fused).defaultSchedule
    let error = #expect(throws: CodeGenerationError.self) {
      try generator.source(for: fused, schedule: schedule)
    }
    #expect(error?.code == .unsupportedLanguage)
    #expect(error?.message.contains("gru") == true)
  }

  private static func randomSchedule(_ space: ScheduleSpace, _ random: inout SeededRandom)
    -> Schedule
  {
    let kernels = space.kernels.map { kernel -> KernelSchedule in
      var schedule = kernel.sketches[0].defaultSchedule
      for domain in kernel.sketches[0].parameters where Int.random(in: 0..<2, using: &random) == 0 {
        let choice = Int.random(in: 0..<domain.values.count, using: &random)
        schedule.parameters[domain.name] = domain.values[choice]
      }
      return schedule
    }
    return Schedule(kernels: kernels, build: ["optimization": 1])
  }

  /// The largest distance from the reference, in units of what its errors and rounding to the type allow.
  private static func excess(
    of actual: [Bytes], over reference: [Bytes], _ program: TensorProgram
  ) -> Double {
    var worst = 0.0
    for (position, output) in program.outputs.enumerated() {
      let type = program[output].type.dtype
      let wanted = reference[position].elements(Double.self)
      let errors = reference[program.outputs.count + position].elements(Float.self)
      let unit = type == .f64 ? 0x1p-50 : type == .f32 ? 0x1p-21 : 0x1p-7
      for (index, got) in actual[position].numbers(type).enumerated() {
        let allowed = Double(errors[index]) + unit * abs(wanted[index]) + 1e-30
        let off = abs(got - wanted[index]) / allowed
        worst = off.isNaN ? .infinity : max(worst, off)
      }
    }
    return worst
  }
}

/// One layer of a recurrent network.
struct Network: Sendable, CustomTestStringConvertible {
  private var name: String
  private var gates: Int
  fileprivate var states: Int
  private var steps: Int
  private var batch: Int
  private var size: Int
  private var width: Int
  private var dtype: String

  init(
    _ name: String, gates: Int, states: Int, steps: Int, batch: Int, size: Int, width: Int,
    dtype: String = "f32"
  ) {
    (self.name, self.gates, self.states) = (name, gates, states)
    (self.steps, self.batch, self.size, self.width) = (steps, batch, size, width)
    self.dtype = dtype
  }

  var testDescription: String { "\(name) \(dtype) \(steps) × \(batch) × \(size) → \(width)" }

  /// The program of the layer in one direction or in both.
  func program(isBidirectional: Bool) throws -> TensorProgram {
    let directions = isBidirectional ? 2 : 1
    let shapes = ["\(gates * width),\(size)", "\(gates * width),\(width)"]
    let all = (0..<directions).flatMap { _ in shapes + ["\(gates * width)", "\(gates * width)"] }
    let inputs =
      [("x", "\(steps),\(batch),\(size)")]
      + (0..<states).map { ("h\($0)", "\(directions),\(batch),\(width)") }
      + all.enumerated().map { ("p\($0)", $1) }
    let types = inputs.map { "{\"name\": \"\($0)\", \"type\": \"\(dtype)[\($1)]\"}" }
    let state = states == 1 ? "\"%h0\"" : "[\"%h0\", \"%h1\"]"
    let parameters = all.indices.map { "\"%p\($0)\"" }.joined(separator: ", ")
    let results = ["\"%n\""] + (1...states).map { "\"%n#\($0)\"" }
    let text = """
      {"granary_spec": 1, "inputs": [\(types.joined(separator: ", "))], "nodes": [{"id": "n",
      "op": "aten.\(name).input", "args": {"input": "%x", "hx": \(state),
      "params": [\(parameters)], "has_biases": true, "num_layers": 1, "dropout": 0.0,
      "train": false, "bidirectional": \(isBidirectional), "batch_first": false}}],
      "outputs": [\(results.joined(separator: ", "))]}
      """
    return try TensorProgram(lowering: Spec.parse(text).checked())
  }
}
