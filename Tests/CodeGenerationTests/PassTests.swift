import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Kernels that go over rows in passes: fused, interleaved, fetched ahead, with what a vector leaves over.
@Suite struct PassTests {
  @Test(
    "passes over rows of any length agree with the reference, special values included",
    arguments: [
      "softmax(x: f32[7,1], dim: -1)", "softmax(x: f32[7,5], dim: -1)",
      "softmax(x: f32[6,16], dim: -1)", "softmax(x: f32[7,77], dim: -1)",
      "softmax(x: f64[5,45], dim: -1)", "softmax(x: bf16[7,77], dim: -1)",
      "softmax(x: f16[5,33], dim: -1)", "log_softmax(x: f32[9,131], dim: -1)",
      "layer_norm(x: f32[7,83], normalized_shape: [83], weight: f32[83], bias: f32[83])",
      "rms_norm(x: f32[5,70], normalized_shape: [70], weight: f32[70])",
      "sum(x: f32[7,77], dim: [1])", "prod(x: f32[7,21], dim: 1)",
      "amax(x: f32[7,77], dim: [1])", "amin(x: f64[7,77], dim: [1])",
      "amax(x: i32[7,77], dim: [1])", "cumsum(x: f32[5,77], dim: 1)",
      "cumsum(x: f64[3,16], dim: 1)", "cumsum(x: i64[3,45], dim: 1)",
      "cumsum(x: f32[4,19,3], dim: 1)", "sum(x: f32[3,2,5,19], dim: [1,3])",
    ])
  func passes(_ text: String) throws {
    let spec = try Spec.parse(text).checked()
    let program = try TensorProgram(lowering: spec).simplified().fused()
    let inputs = inputs(program.program)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for (position, schedule) in schedules(program).enumerated() {
      let generator = CodeGenerator(hardware: testHardware, language: .c)
      let source = try generator.source(for: program, schedule: schedule)
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      let difference = program.program.largestDifference(actual.outputs, expected)
      #expect(difference < 2 * program.program.tolerance, "\(compiler) \(schedule.kernels)")
    }
  }

  @Test("stages over one row become one pass when each needs only its own element")
  func fusion() throws {
    let program = softmax(rows: 4, columns: 64)
    let flat = try FlatKernel(program.kernels[0], in: program.program)
    let kernel = TilePlan().inRows(flat, program.program)
    let sizes = kernel.body.map { statement in
      if case .pass(let pass) = statement { pass.members.count } else { 0 }
    }
    // The largest; the powers and their sum; the quotient.
    #expect(sizes == [1, 2, 1])
  }

  @Test(
    "rows are fetched ahead by the last pass that reads them, and outputs claimed by the one before"
  )
  func prefetches() throws {
    let program = softmax(rows: 4, columns: 64)
    let flat = try FlatKernel(program.kernels[0], in: program.program)
    var plan = TilePlan()
    plan.prefetchBytes = 1024
    plan.claimBytes = 512
    plan.rows = 2
    let fetched = plan.inRows(flat, program.program).body.map { statement -> [Bool] in
      if case .pass(let pass) = statement { pass.prefetches.map(\.isWrite) } else { [] }
    }
    #expect(fetched == [[], [false, true], []])
  }

  @Test("pipelined rows are one pass apart, and take turns with the memory that two passes share")
  func pipeline() throws {
    let program = softmax(rows: 4, columns: 64)
    let flat = try FlatKernel(program.kernels[0], in: program.program)
    var plan = TilePlan()
    plan.isPipelined = true
    let kernel = plan.inRows(flat, program.program)
    #expect(kernel.overlap == .pipelined)
    #expect(kernel.steps.count == 3)
    // A row's powers are written by one pass and read by the next.
    #expect(kernel.scratchSlots == 2)
    plan.isPipelined = false
    #expect(plan.inRows(flat, program.program).scratchSlots == 1)
  }

  /// The default, and each parameter of passes at its ends.
  private func schedules(_ program: FusedProgram) -> [Schedule] {
    let space = CodeGenerator(hardware: testHardware, language: .c).space(for: program)
    let changes: [[String: Int]] = [
      [:], ["rows": 4, "lanes": 16, "accumulators": 1, "unroll": 1],
      ["rows": 2, "lanes": 8, "accumulators": 2, "unroll": 2, "prefetch": 2048, "claim": 2048],
      ["rows": 4, "lanes": 4, "blocks": 1, "prefetch": 16384, "streaming": 1],
      ["rows": 1, "lanes": 32, "accumulators": 8, "unroll": 8], ["rows": 2, "lanes": 1],
      ["pipeline": 1, "lanes": 16, "claim": 4096, "prefetch": 12288],
      ["pipeline": 1, "lanes": 4, "unroll": 1, "accumulators": 2, "blocks": 1],
      ["pipeline": 1, "lanes": 1],
    ]
    return changes.map { change in
      var schedule = space.defaultSchedule
      for position in schedule.kernels.indices {
        let domains = space.kernels[position].sketches.first {
          $0.sketch == schedule.kernels[position].sketch
        }?.parameters
        for domain in domains ?? [] {
          if let value = change[domain.name], domain.values.contains(value) {
            schedule.kernels[position].parameters[domain.name] = value
          }
        }
        if schedule.kernels[position].parameters["across"] != nil {
          schedule.kernels[position].parameters["across"] = 0
        }
      }
      schedule.build = ["optimization": 1]
      return schedule
    }
  }

  /// Random inputs, one row with NaN, others with infinities, or values whose powers leave the type's range.
  private func inputs(_ program: TensorProgram) -> [Bytes] {
    var random = SeededRandom(seed: 22)
    return zip(program.inputs, program.randomInputs(&random)).map { input, bytes in
      let type = program[input].type
      guard type.dtype == .f32, type.shape.count > 1, let columns = type.shape.last else {
        return bytes
      }
      var values = bytes.elements(Float.self)
      let last = values.count - 1
      let odd: [Float] = [.nan, .infinity, -.infinity, 120, -120, 1e6, 1e-30]
      for (row, value) in odd.enumerated() where row * columns + row / 2 <= last {
        values[row * columns + min(row / 2, columns - 1)] = value
      }
      if columns > 1 { values[last] = -.infinity }
      return Bytes(values)
    }
  }
}

extension TilePlan {
  /// The tile kernel with lanes within rows.
  fileprivate func inRows(_ kernel: FlatKernel, _ program: TensorProgram) -> TileKernel {
    var plan = self
    plan.lanesAcross = false
    plan.lanes = 16
    return plan.tileKernel(of: kernel, name: "kernel0", in: program)
  }
}
