import Hardware
import Knowledge
import KernelSpec
import Testing

@Suite struct KnowledgeBaseTests {
  static let zen5 = HardwareDescription(
    compatibility: CompatibilityIdentity(
      architecture: "x86_64", features: ["avx2", "avx512f"], libc: "glibc 2.36"),
    tuning: TuningIdentity(
      model: "Zen 5", architecture: "x86_64", vectorFeatures: ["avx2", "avx512f"], vectorBytes: 64,
      vectorRegisters: 32, threads: 2, cacheBytes: [48 << 10, 1 << 20, 32 << 20]))

  static let ceilings = Ceilings(
    operationsPerSecond: [.f32: 500e9], read: curve, write: curve, copy: curve)
  private static let curve = BandwidthCurve([
    .init(workingSetBytes: 16e6, bytesPerSecond: 200e9),
    .init(workingSetBytes: 100e6, bytesPerSecond: 50e9),
  ])

  private func names(
    _ bottleneck: Bottleneck?, _ sketches: [String], architecture: String = "x86_64"
  ) throws -> [String] {
    var identity = Self.zen5.compatibility
    identity.architecture = architecture
    if architecture != "x86_64" { identity.features = [] }
    return try KnowledgeBase.builtIn().matches(
      hardware: identity, bottleneck: bottleneck, sketches: sketches
    ).map(\.document.name)
  }

  @Test("every page that Granary comes with is well formed, with a name of its own")
  func builtIn() throws {
    let documents = try KnowledgeBase.builtIn().documents
    #expect(documents.count >= 6)
    #expect(Set(documents.map(\.name)).count == documents.count)
    #expect(documents.allSatisfy { !$0.body.isEmpty && !$0.bottlenecks.isEmpty })
  }

  @Test("pages are found by sketch, bottleneck and platform, best first")
  func retrieval() throws {
    #expect(
      try names(.compute, ["contraction"]).prefix(2)
        == ["x86-cache-blocking", "x86-register-tiles"])
    #expect(try names(.memory, ["pointwise"]).first == "non-temporal-stores")
    #expect(try names(.overhead, ["scan"]).first == "threads-and-numa")
    #expect(try names(.compute, ["contraction"], architecture: "opencl").first == "opencl-on-cpus")
    #expect(
      !(try names(.compute, ["contraction"], architecture: "aarch64")).contains(
        "x86-register-tiles"))
  }

  @Test("the scores fall, and no more pages come than were asked for")
  func limits() throws {
    let base = try KnowledgeBase.builtIn()
    let matches = base.matches(
      hardware: Self.zen5.compatibility, bottleneck: .memory, sketches: ["row-resident"], limit: 2)
    #expect(matches.count == 2)
    #expect(matches[0].score >= matches[1].score)
    let none = base.matches(
      hardware: Self.zen5.compatibility, bottleneck: .memory, sketches: [], limit: 0)
    #expect(none.isEmpty)
  }

  @Test(
    "malformed pages are refused",
    arguments: [
      "", "no front matter", "---\nname: a\n---\n", "---\nname: a\ntitle: b\nbottlenecks: x\n---\n",
    ])
  func malformed(text: String) {
    #expect(throws: KnowledgeDocumentError.self) { try KnowledgeDocument(parsing: text) }
  }

  @Test("the bottleneck follows from work, ceilings and time")
  func diagnosis() {
    func diagnose(_ operations: Double, _ bytes: Double, _ seconds: Double) -> Diagnosis {
      Diagnosis(
        work: Work(floatingPointOperations: operations, bytes: bytes), dtype: .f32,
        measuredSeconds: seconds, ceilings: Self.ceilings)
    }
    let product = diagnose(2e9, 12e6, 8e-3)
    #expect(product.bottleneck == .compute)
    #expect(abs(product.rooflineFraction - 0.5) < 1e-9)
    #expect(diagnose(1e7, 500e6, 0.02).bottleneck == .memory)
    #expect(diagnose(1000, 4000, 6e-6).bottleneck == .overhead)
  }
}
