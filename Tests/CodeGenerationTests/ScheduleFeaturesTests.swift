import CodeGeneration
import Hardware
import KernelSpec
import TensorProgram
import Testing

@Suite struct ScheduleFeaturesTests {
  private func features(_ text: String) throws -> (ScheduleFeatures, ScheduleSpace) {
    let program = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let space = generator.space(for: program)
    return (ScheduleFeatures(of: program, in: space, on: testHardware), space)
  }

  @Test(
    "every parameter of a schedule has a feature, and the default is at no distance from itself")
  func parameters() throws {
    for text in [
      "matmul(a: f32[64,48], b: f32[48,80])", "softmax(x: f32[64,1000], dim: -1)",
      "cumsum(x: f32[64,100], dim: 1)",
    ] {
      let (features, space) = try features(text)
      let values = features.values(of: space.defaultSchedule)
      let sketch = space.kernels[0].sketches[0]
      #expect(values["is \(sketch.sketch)"] == 1)
      for domain in sketch.parameters {
        #expect(values["\(sketch.sketch) \(domain.name)"] != nil)
        #expect(values["\(sketch.sketch) \(domain.name) over default"] == 0)
      }
    }
  }

  @Test("schedules that differ have features that differ")
  func distinct() throws {
    let (features, space) = try features("matmul(a: f32[64,48], b: f32[48,80])")
    let base = features.values(of: space.defaultSchedule)
    for domain in space.kernels[0].sketches[0].parameters {
      for value in domain.values where value != domain.defaultValue {
        var schedule = space.defaultSchedule
        schedule.kernels[0].parameters[domain.name] = value
        #expect(features.values(of: schedule) != base, "\(domain.name) = \(value)")
      }
    }
  }

  @Test("shapes of one operator have one structure, other operators another")
  func structure() throws {
    let first = try features("matmul(a: f32[64,48], b: f32[48,80])").0.structure
    #expect(try features("matmul(a: f32[512,256], b: f32[256,384])").0.structure == first)
    #expect(try features("softmax(x: f32[64,1000], dim: -1)").0.structure != first)
  }

  @Test("all values are numbers, for programs of several kernels too")
  func finite() throws {
    let (features, space) = try features(
      "softmax(matmul(a: f32[64,48], b: f32[48,80]), dim: -1)")
    let values = features.values(of: space.defaultSchedule)
    #expect(values.values.allSatisfy { $0.isFinite })
    #expect(values.keys.contains { $0.hasPrefix("b.") })
  }
}
