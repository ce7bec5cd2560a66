import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Convolutions of 3 × 3 places by Winograd's transforms.
@Suite struct WinogradTests {
  @Test(
    "convolutions agree with the reference within the tolerance of their rounding",
    arguments: [
      "conv2d(x: f32[1,32,8,16], w: f32[16,32,3,3], padding: [1,1])",
      "relu(conv2d(x: f32[2,37,9,11], w: f32[21,37,3,3], b: f32[21], padding: [1,1]))",
      "add(conv2d(x: f32[1,32,5,30], w: f32[40,32,3,3]), y: f32[1,40,3,28])",
      "conv2d(x: f32[3,32,7,7], w: f32[64,32,3,3], padding: [1,1])",
      "conv2d(x: f32[1,33,6,3], w: f32[17,33,3,3], padding: [2,2])",
      "conv2d(x: bf16[1,32,6,11], w: bf16[16,32,3,3], padding: [1,1])",
    ])
  func convolutions(_ text: String) throws {
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
    var random = SeededRandom(seed: 23)
    let inputs = program.program.randomInputs(&random)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    var count = 0
    for (position, change) in Self.changes.enumerated() {
      guard let source = try source(of: program, change) else { continue }
      count += 1
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      #expect(actual.status == 0)
      let difference = program.program.largestDifference(actual.outputs, expected)
      // Rounding errors are several times those of a plain sum; a wrong element is off by 1.
      #expect(difference < 200 * program.program.tolerance, "\(compiler) \(change)")
    }
    #expect(count >= 6)
  }

  private static let changes: [[String: Int]] = [
    [:], ["tile": 2], ["mr": 5, "nv": 1, "rows": 2], ["share": 1, "rows": 3, "tile": 2],
    ["share": 1, "mr": 3, "nv": 4], ["mr": 1, "nv": 3, "rows": 4], ["mr": 8, "rows": 14],
  ]

  /// The source with the sketch's default parameters but for `change`; `nil` where that breaks a rule.
  private func source(of program: FusedProgram, _ change: [String: Int]) throws -> KernelSource? {
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let space = generator.space(for: program)
    let sketch = try #require(
      space.kernels.first?.sketches.first { $0.sketch == "winograd" })
    var schedule = space.defaultSchedule
    schedule.build = ["optimization": 1]
    schedule.kernels[0] = sketch.defaultSchedule
    schedule.kernels[0].parameters.merge(change) { $1 }
    guard generator.violation(of: schedule, for: program) == nil else { return nil }
    return try generator.source(for: program, schedule: schedule)
  }

  @Test("an infinity or NaN reaches those results whose windows it is in, and no other")
  func classes() throws {
    let text = "conv2d(x: f32[1,32,13,19], w: f32[16,32,3,3], padding: [1,1])"
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
    var random = SeededRandom(seed: 29)
    let drawn = program.program.randomInputs(&random)
    for (input, value) in [(0, Float.infinity), (0, .nan), (1, -.infinity), (0, 3e38)] {
      var inputs = drawn
      var elements = inputs[input].elements(Float.self)
      elements[elements.count / 2] = value
      inputs[input] = Bytes(elements)
      let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs[0]
      let doubles = expected.elements(Double.self)
      for change in [[:], ["tile": 2, "share": 1]] {
        let source = try #require(try source(of: program, change))
        let actual = try run(source, inputs).outputs[0].elements(Float.self)
        var count = 0
        for (wanted, got) in zip(doubles, actual) {
          #expect(wanted.isNaN == got.isNaN)
          #expect(wanted.isInfinite == got.isInfinite || wanted.magnitude > 1e38)
          count += got.isFinite ? 1 : 0
        }
        #expect(count > 0)
      }
    }
  }

  @Test(
    "the transforms are the default where their filters stay in the caches, and else an alternative"
  )
  func defaults() throws {
    for (text, first) in [
      ("conv2d(x: f32[1,64,56,56], w: f32[64,64,3,3], padding: [1,1])", "winograd"),
      ("conv2d(x: f32[1,512,7,7], w: f32[512,512,3,3], padding: [1,1])", "convolution"),
    ] {
      let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
      let space = CodeGenerator(hardware: testHardware, language: .c).space(for: program)
      let names = space.kernels[0].sketches.map(\.sketch)
      #expect(names.last == "loop-nest")
      #expect(names.first == first && Set(names).isSuperset(of: ["winograd", "convolution"]))
    }
  }

  @Test("few channels, strides, dilations and other windows are left to other sketches")
  func others() throws {
    for text in [
      "conv2d(x: f32[1,16,8,16], w: f32[16,16,3,3], padding: [1,1])",
      "conv2d(x: f32[1,32,9,16], w: f32[16,32,3,3], stride: [2,2])",
      "conv2d(x: f32[1,32,9,16], w: f32[16,32,3,3], dilation: [2,2])",
      "conv2d(x: f32[1,32,9,16], w: f32[16,32,5,5])",
      "conv2d(x: f64[1,32,9,16], w: f64[16,32,3,3])",
      "conv1d(x: f32[1,32,40], w: f32[32,32,3])",
      "conv2d(x: f32[1,32,9,16], w: f32[32,1,3,3], groups: 32)",
    ] {
      let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
      let space = CodeGenerator(hardware: testHardware, language: .c).space(for: program)
      #expect(!space.kernels.contains { $0.sketches.contains { $0.sketch == "winograd" } })
    }
  }
}
