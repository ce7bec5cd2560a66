import Hardware
import Knowledge
import KernelSpec
import Testing

@Suite struct PastResultTests {
  private static func result(
    _ kernel: String, rows: Int, speedup: Double = 2, model: String = "Zen 5"
  ) -> PastResult {
    var hardware = KnowledgeBaseTests.zen5.tuning
    hardware.model = model
    return PastResult(
      kernel: kernel, schedule: KernelSchedule(sketch: "packed", parameters: ["rows": rows]),
      build: ["level": 3], speedup: speedup, hardware: hardware)
  }

  private let results = PastResults([
    result("contraction 4096x4096x4096", rows: 1),
    result("contraction 1024x1024x512", rows: 2),
    result("contraction 1024x1024x1024", rows: 3, model: "Skylake"),
    result("contraction 1024x1024", rows: 4),
    result("reduction 1024x1024x1024", rows: 5),
    result("contraction 1024x512x1024", rows: 6, speedup: 5),
    result("contraction 1024x1024x1024", rows: 7, speedup: 0.9),
  ])

  @Test("results of the same kind come nearest first, faster first among equals")
  func nearest() {
    let nearest = results.nearest(
      to: "contraction 1024x1024x1024", on: KnowledgeBaseTests.zen5.tuning, limit: 10)
    #expect(nearest.map { $0.schedule.parameters["rows"] } == [6, 2, 3, 1])
  }

  @Test("transplants are whole schedules, each once, with defaults where nothing is known")
  func transplants() {
    let sketch = SketchSpace(
      sketch: "direct", parameters: [ParameterDomain("p", [1, 2], default: 1)])
    let space = ScheduleSpace(
      kernels: [
        KernelSpace(name: "contraction 1024x1024x1024", sketches: [sketch]),
        KernelSpace(name: "pointwise 1024", sketches: [sketch]),
      ], build: [ParameterDomain("level", [2, 3], default: 2)])
    let transplants = results.transplants(
      for: space, on: KnowledgeBaseTests.zen5.tuning, limit: 2)
    #expect(transplants.map { $0.kernels[0].parameters["rows"] } == [6, 2])
    #expect(transplants.allSatisfy { $0.kernels[1] == sketch.defaultSchedule })
    #expect(transplants.allSatisfy { $0.build == ["level": 3] })
    #expect(
      PastResults([]).transplants(
        for: space, on: KnowledgeBaseTests.zen5.tuning, limit: 2
      ).isEmpty)
  }
}
