import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

@Suite struct SplitReductionTests {
  @Test(
    "a long reduction gives the same split into any number of parts, with and without a remainder",
    arguments: [(DType.i64, Combiner.sum, 300_007), (.f32, .maximum, 1 << 18)])
  func anyNumberOfParts(_ dtype: DType, _ combiner: Combiner, _ count: Int) throws {
    var build = ProgramBuilder()
    let x = build.input(dtype, [count])
    let y = build.output(dtype, [])
    let k = build.axis(count)
    build.stage(y, [], .reduce(axes: [k], combiner: combiner, value: build.load(x, k)))
    let program = build.fused(outer: [])
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let sketch = try #require(generator.space(for: program).kernels.first?.sketches.first)
    #expect(sketch.sketch == "split-reduction")
    var random = SeededRandom(seed: 11)
    let inputs = program.program.randomInputs(&random)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for domain in sketch.parameters {
      for value in domain.values {
        var schedule = sketch.defaultSchedule
        schedule.parameters[domain.name] = value
        let source = try generator.source(
          for: program, schedule: Schedule(kernels: [schedule], build: ["optimization": 1]))
        let actual = try run(source, inputs)
        #expect(actual.status == 0)
        #expect(program.program.largestDifference(actual.outputs, expected) == 0, "\(schedule)")
      }
    }
  }
}
