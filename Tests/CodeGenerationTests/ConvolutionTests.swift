import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Convolutions that read a padded copy of the image.
@Suite struct ConvolutionTests {
  @Test(
    "convolutions of any stride, dilation, padding and grouping agree with the reference",
    arguments: [
      "conv2d(x: f32[1,5,9,20], w: f32[7,5,3,3], padding: [1,1])",
      "relu(conv2d(x: f32[2,3,11,13], w: f32[18,3,5,3], b: f32[18], stride: [2,2], padding: [2,1]))",
      "conv2d(x: f32[1,4,9,17], w: f32[6,4,3,3], stride: [3,3])",
      "conv2d(x: f32[1,4,12,14], w: f32[6,4,3,2], stride: [2,1], padding: [2,3], dilation: [3,2])",
      "conv2d(x: f32[1,9,8,10], w: f32[20,9,1,1], stride: [2,2])",
      "conv2d(x: f64[1,3,6,11], w: f64[5,3,3,3], padding: [1,1])",
      "conv2d(x: bf16[1,3,6,11], w: bf16[5,3,3,3], padding: [1,1])",
      "silu(conv1d(x: f32[3,5,40], w: f32[9,5,3], b: f32[9], padding: [1]))",
      "conv1d(x: f32[2,40,21], w: f32[30,40,17], padding: [8])",
    ])
  func convolutions(_ text: String) throws {
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let space = generator.space(for: program)
    let sketch = try #require(space.kernels.first?.sketches.first)
    #expect(sketch.sketch == "convolution")
    var random = SeededRandom(seed: 17)
    let inputs = program.program.randomInputs(&random)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for (position, change) in Self.changes.enumerated() {
      var schedule = space.defaultSchedule
      schedule.build = ["optimization": 1]
      schedule.kernels[0].parameters.merge(change) { $1 }
      guard generator.violation(of: schedule, for: program) == nil else { continue }
      let source = try generator.source(for: program, schedule: schedule)
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      #expect(actual.status == 0)
      let difference = program.program.largestDifference(actual.outputs, expected)
      #expect(difference < 40 * program.program.tolerance, "\(compiler) \(schedule.kernels)")
    }
  }

  private static let changes: [[String: Int]] = [
    [:], ["mr": 8, "nv": 3], ["mr": 1, "nv": 1, "nc": 32], ["mr": 14, "nv": 2, "mc": 16],
    ["kc": 64, "pack_a": 2], ["order": 1, "unroll": 4, "nc": 64], ["pack_a": 1, "mr": 5, "nv": 2],
  ]

  @Test("a plain product is no convolution, and neither is a window for each channel")
  func others() throws {
    for text in [
      "matmul(a: f32[8,9], b: f32[9,40])", "conv2d(x: f32[1,8,6,6], w: f32[9,8,1,1])",
      "conv2d(x: f32[1,4,8,20], w: f32[4,1,3,3], groups: 4)",
    ] {
      let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
      let space = CodeGenerator(hardware: testHardware, language: .c).space(for: program)
      #expect(!space.kernels.contains { $0.sketches.contains { $0.sketch == "convolution" } })
    }
  }
}
