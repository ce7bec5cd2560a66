import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Pooling and depthwise convolution from copies of bands of the image.
@Suite struct WindowTests {
  @Test(
    "windows of any shape agree with the reference at the ends of every parameter",
    arguments: [
      "max_pool2d(x: f32[1,2,11,37], kernel_size: [3,3], stride: [2,2], padding: [1,1])",
      "max_pool2d(x: f32[1,1,8,67], kernel_size: [2,3], stride: [1,3], dilation: [2,2])",
      "max_pool2d(x: f64[2,1,12,9], kernel_size: [2,2], ceil_mode: true)",
      "max_pool2d(x: f32[1,1,6,7], kernel_size: [5,5], stride: [1,1])",
      "avg_pool2d(x: f32[1,2,9,41], kernel_size: [3,3], stride: [2,1], padding: [1,1])",
      "avg_pool2d(x: bf16[1,1,6,40], kernel_size: [2,2])",
      "avg_pool1d(x: f32[2,3,50], kernel_size: [4], stride: [2], padding: [1])",
      "relu(conv2d(x: f32[1,3,10,35], w: f32[3,1,3,3], b: f32[3], padding: [1,1], groups: 3))",
      "conv2d(x: f32[2,2,9,40], w: f32[2,1,5,3], stride: [2,2], padding: [2,1], groups: 2)",
      "conv2d(x: f16[1,2,7,20], w: f16[2,1,3,3], padding: [1,1], groups: 2)",
      "silu(conv1d(x: f32[2,4,45], w: f32[4,1,4], padding: [3], dilation: [2], groups: 4))",
    ])
  func windows(_ text: String) throws {
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).simplified().fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let sketches = try #require(generator.space(for: program).kernels.first?.sketches)
    let sketch = try #require(sketches.first)
    #expect(sketch.sketch == "staged-window")
    var random = SeededRandom(seed: 31)
    let inputs = program.program.randomInputs(&random).withSpecialValues
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for (position, schedule) in Self.schedules(sketch).enumerated() {
      let source = try generator.source(for: program, schedule: schedule)
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      let difference = program.program.largestDifference(actual.outputs, expected)
      #expect(difference < 2 * program.program.tolerance, "\(compiler) \(schedule.kernels)")
    }
  }

  /// The first and last value of every parameter, the others being as they are by default.
  private static func schedules(_ sketch: SketchSpace) -> [Schedule] {
    var schedules = [sketch.defaultSchedule]
    for domain in sketch.parameters {
      for value in Set([domain.values.first, domain.values.last].compactMap { $0 }).sorted()
      where value != domain.defaultValue {
        schedules.append(sketch.defaultSchedule)
        schedules[schedules.count - 1].parameters[domain.name] = value
      }
    }
    return schedules.map { Schedule(kernels: [$0], build: ["optimization": 1]) }
  }

  @Test(
    "what is no window over an image is left to other sketches",
    arguments: [
      // The lanes' axis has no window; three directions; elements that are looked up.
      "sum(reshape(x: f32[4,3,3,20], [4,9,20]), dim: [1])",
      "max_pool3d(x: f32[1,1,6,6,6], kernel_size: [2,2,2])",
      "sum(x: f32[4,20], dim: [1])", "matmul(a: f32[4,8], b: f32[8,5])",
      "max_pool2d(x: f32[1,1,40,40], kernel_size: [9,9])",
    ])
  func others(_ text: String) throws {
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).simplified().fused()
    let space = CodeGenerator(hardware: testHardware, language: .c).space(for: program)
    #expect(!space.kernels.contains { $0.sketches.contains { $0.sketch == "staged-window" } })
  }

  @Test("rows that are looked up ahead of use stay within the positions")
  func lookUpsAhead() throws {
    let text = "sum(embedding(t: f32[50,40], i: i64[7,5]), dim: [1])"
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).simplified().fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    var random = SeededRandom(seed: 5)
    let inputs = program.program.randomInputs(&random)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for ahead in [0, 8, 64] {
      var schedule = generator.space(for: program).defaultSchedule
      #expect(schedule.kernels[0].sketch == "gather-reduce")
      schedule.kernels[0].parameters["ahead"] = ahead
      schedule.build = ["optimization": 1]
      let source = try generator.source(for: program, schedule: schedule)
      #expect(source.text.contains("__builtin_prefetch") == (ahead > 0))
      let actual = try run(source, inputs)
      let difference = program.program.largestDifference(actual.outputs, expected)
      #expect(difference < program.program.tolerance)
    }
  }
}

extension [Bytes] {
  /// The first input with a NaN and infinities among its elements, where those are of 32 bits.
  fileprivate var withSpecialValues: [Bytes] {
    guard let first, first.bytes.count > 300, first.bytes.count % 4 == 0 else { return self }
    var values = first.elements(Float.self)
    values[17] = .nan
    values[60] = .infinity
    return [Bytes(values)] + dropFirst()
  }
}
