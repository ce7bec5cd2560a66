import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Reductions of every kind, odd indices, strides, and buffers between kernels.
@Suite struct StructureTests {
  static let numeric: [Combiner] = [
    .sum, .product, .maximum, .minimum, .argumentOfMaximum, .argumentOfMinimum,
  ]

  @Test(
    "every combiner agrees with the reference along rows and columns, NaN included",
    arguments: StructureTests.numeric)
  func combiners(_ combiner: Combiner) throws {
    for (dtype, reducesRows) in [(DType.f32, true), (.f32, false), (.f64, true), (.i32, true)] {
      let program = reduction(combiner, dtype, reducesRows: reducesRows)
      let inputs = [values(dtype, count: 37 * 41)]
      try expectAgreement(program, inputs, "\(combiner) \(dtype) \(reducesRows)")
    }
  }

  @Test("any and all agree with the reference", arguments: [Combiner.any, .all])
  func logical(_ combiner: Combiner) throws {
    for reducesRows in [true, false] {
      let program = reduction(combiner, .bool, reducesRows: reducesRows)
      var random = SeededRandom(seed: 3)
      let rare = combiner == .any ? 1 : 0
      let bits = (0..<37 * 41).map { _ in
        UInt8(Int.random(in: 0..<60, using: &random) == 0 ? rare : 1 - rare)
      }
      try expectAgreement(program, [Bytes(bits)], "\(combiner)")
    }
  }

  @Test("a shift with wrap-around over a transposed input agrees with the reference")
  func oddIndices() throws {
    var build = ProgramBuilder()
    let x = build.input(.f32, [9, 35], strides: [1, 9])
    let y = build.output(.f32, [9, 35])
    let (r, c) = (build.axis(9), build.axis(35))
    let column = Index.remainder(.sum(.axis(c), .constant(-7)), 35)
    let row = Index.quotient(.sum(.product(.axis(r), 3), .constant(1)), 3)
    build.stage(
      y, [r, c],
      .map(
        .binary(
          .add, .load(x, .f32, [row, column]),
          .index(.sum(.product(.axis(c), 2), .axis(r)), .f32))))
    let values = Bytes((0..<9 * 35).map { Float($0) })
    try expectAgreement(build.fused(outer: [r, c]), [values], "shift")
  }

  @Test("kernels that hand buffers on agree with one kernel that keeps them")
  func buffersBetweenKernels() throws {
    let fused = softmax(rows: 9, columns: 45)
    let separate = FusedProgram(
      program: fused.program,
      kernels: fused.program.stages.map {
        FusedKernel(outer: $0.domain, stages: [$0], locals: [])
      })
    var random = SeededRandom(seed: 11)
    try expectAgreement(separate, fused.program.randomInputs(&random), "softmax")
  }

  @Test("a scan of every kind agrees with the reference", arguments: StructureTests.numeric)
  func scans(_ combiner: Combiner) throws {
    for dimension in 0...1 {
      var build = ProgramBuilder()
      let x = build.input(.f32, [23, 37])
      let type: DType =
        combiner == .argumentOfMaximum || combiner == .argumentOfMinimum ? .i64 : .f32
      let y = build.output(type, [23, 37])
      let (r, c) = (build.axis(23), build.axis(37))
      build.stage(
        y, [r, c], .scan(dimension: dimension, combiner: combiner, value: build.load(x, r, c)))
      let program = build.fused(outer: dimension == 0 ? [] : [r])
      try expectAgreement(program, [values(.f32, count: 23 * 37)], "\(combiner) \(dimension)")
    }
  }

  @Test("empty axes give identities and empty outputs")
  func emptyAxes() throws {
    for (rows, columns) in [(3, 0), (0, 3)] {
      var build = ProgramBuilder()
      let x = build.input(.f32, [rows, columns])
      let y = build.output(.f32, [rows])
      let (r, c) = (build.axis(rows), build.axis(columns))
      build.stage(y, [r], .reduce(axes: [c], combiner: .sum, value: build.load(x, r, c)))
      try expectAgreement(build.fused(outer: [r]), [Bytes(count: 0)], "\(rows)x\(columns)")
    }
  }

  @Test("an illegal schedule or a scan along the grid is refused")
  func refusals() throws {
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let program = softmax(rows: 4, columns: 64)
    var schedule = generator.space(for: program).defaultSchedule
    #expect(generator.violation(of: schedule, for: program) == nil)
    schedule.kernels[0].parameters["lanes"] = 3
    #expect(generator.violation(of: schedule, for: program) != nil)
    #expect(throws: CodeGenerationError.self) {
      try generator.source(for: program, schedule: schedule)
    }
    var scan = runningSum(rows: 4, columns: 8)
    scan.kernels[0].outer = scan.kernels[0].stages[0].domain
    let fallback = generator.space(for: scan).defaultSchedule
    #expect(throws: CodeGenerationError.self) {
      try generator.source(for: scan, schedule: fallback)
    }
  }

  private func reduction(_ combiner: Combiner, _ dtype: DType, reducesRows: Bool) -> FusedProgram {
    var build = ProgramBuilder()
    let x = build.input(dtype, [37, 41])
    let isArgument = combiner == .argumentOfMaximum || combiner == .argumentOfMinimum
    let (r, c) = (build.axis(37), build.axis(41))
    let kept = reducesRows ? r : c
    let y = build.output(isArgument ? .i64 : dtype, [kept.extent])
    build.stage(
      y, [kept],
      .reduce(axes: [reducesRows ? c : r], combiner: combiner, value: build.load(x, r, c)))
    return build.fused(outer: [kept])
  }

  private func values(_ dtype: DType, count: Int) -> Bytes {
    var random = SeededRandom(seed: 5)
    var values = (0..<count).map { _ in Float.random(in: -1.5...1.5, using: &random) }
    for position in stride(from: 100, to: count, by: 400) { values[position] = .nan }
    for position in stride(from: 90, to: count, by: 97) { values[position] = 1.5 }
    switch dtype {
    case .f64: return Bytes(values.map { Double($0) })
    case .i32: return Bytes(values.map { $0.isNaN ? 0 : Int32($0 * 5) })
    default: return Bytes(values)
    }
  }

  private func expectAgreement(_ program: FusedProgram, _ inputs: [Bytes], _ name: String) throws {
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let base = generator.space(for: program).defaultSchedule
    for (across, lanes) in [(0, 1), (0, 8), (1, 1), (1, 8)] {
      var schedule = base
      for position in schedule.kernels.indices where !program.kernels[position].outer.isEmpty {
        schedule.kernels[position].parameters["across"] = across
      }
      for position in schedule.kernels.indices {
        schedule.kernels[position].parameters["lanes"] = lanes
        schedule.kernels[position].parameters["blocks"] = 2
      }
      schedule.build = ["optimization": 1]
      let source = try generator.source(for: program, schedule: schedule)
      let result = try run(source, inputs, compiler: lanes == 1 ? "gcc" : "clang")
      let difference = program.program.largestDifference(result.outputs, expected)
      #expect(difference < program.program.tolerance, "\(name) across \(across) lanes \(lanes)")
    }
  }
}
