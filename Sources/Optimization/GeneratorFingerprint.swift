import CodeGeneration
import Hardware
package import KernelSpec
import Knowledge

/// What tells one version of the code generator from another: the digest of the sources that it makes of a few
/// programs for a machine that is always the same. Nobody can forget to raise it.
package enum GeneratorFingerprint {
  /// Twelve hexadecimal digits.
  package static let value = fingerprint(
    of: specs.flatMap(sources) + families.map(source(ofFamily:)))

  /// The digest of the pages of advice.
  package static let knowledge: String = {
    let documents = (try? KnowledgeBase.builtIn().documents) ?? []
    return fingerprint(of: documents.map { "\($0.name)\n\($0.body)" })
  }()

  private static func fingerprint(of texts: [String]) -> String {
    String(Digest(of: texts.joined(separator: "\u{0}").utf8).hex.prefix(12))
  }

  /// One at least for each sketch.
  private static let specs = [
    "relu(x: f32[64,100])", "gelu(linear(x: f32[64,48], w: f32[40,48], b: f32[40]))",
    "softmax(x: f32[64,1000], dim: -1)", "sum(x: f32[64,1000], dim: [0])", "mean(x: bf16[70000])",
    "cumsum(x: f32[64,100], dim: 1)", "sort(x: f32[64,100])",
    "max_pool2d(x: f32[1,8,32,32], kernel_size: [2,2])",
    "convolution(x: f32[1,8,32,32], w: f32[8,8,3,3], bias: None, stride: [1,1], padding: [1,1], "
      + "dilation: [1,1], transposed: false, output_padding: [0,0], groups: 1)",
    "embedding(w: f32[100,64], i: i64[32])", "bmm(a: f32[4,32,48], b: f32[4,48,64])",
    "index_select(x: f32[64,100], dim: 0, i: i64[7])",
  ]

  /// Of open sizes, whose instances are made one source: with definitions of their own, with shared ones, and with
  /// numbers that follow the sizes.
  private static let families = [
    "n in 2...40; softmax(x: f32[n,77], dim: -1)", "n in 2...40; softmax(x: f32[5,n], dim: -1)",
    "n in 8...24 by 8; linear(x: f32[n,48], w: f32[40,48], b: f32[40])",
  ]

  /// Those that cannot be generated, which say nothing of the generator.
  static var specsWithoutSource: [String] {
    specs.filter { sources(of: $0).contains("none") }
      + families.filter { source(ofFamily: $0) == "none" }
  }

  private static func source(ofFamily text: String) -> String {
    guard let spec = try? Spec.parse(text), let family = try? SpecFamily(checking: spec) else {
      return "none"
    }
    let maker = FamilySourceMaker(family: family, hardware: machine)
    guard let largest = try? maker.plan(at: family.symbols.map(\.upper)),
      let made = try? maker.generate(largest.space.defaultSchedule, [])
    else { return "none" }
    return made.source.text + made.source.compilerOptions.joined(separator: " ")
  }

  private static func sources(of text: String) -> [String] {
    guard let spec = try? Spec.parse(text).checked(),
      let plan = try? KernelPlan(spec: spec, hardware: machine)
    else { return ["none"] }
    let schedules = [plan.space.defaultSchedule, plan.space.plainestSchedule]
    return schedules.map {
      (try? plan.generator.source(for: plan.fused, schedule: $0))
        .map { $0.text + $0.compilerOptions.joined(separator: " ") } ?? "none"
    }
  }

  private static let machine = HardwareDescription(
    compatibility: CompatibilityIdentity(
      architecture: "x86_64", features: ["avx", "avx2", "fma"], libc: "glibc 2.36"),
    tuning: TuningIdentity(
      model: "fingerprint", architecture: "x86_64", vectorFeatures: ["avx", "avx2", "fma"],
      vectorBytes: 32, vectorRegisters: 16, threads: 4, cacheBytes: [32768, 1 << 20, 16 << 20]))
}

extension Workshop {
  /// What a kernel that is made now depends on.
  package var provenance: Evidence.Provenance {
    let machine = MachineState()
    return Evidence.Provenance(
      generator: GeneratorFingerprint.value, knowledge: GeneratorFingerprint.knowledge,
      kernel: machine.kernel, microcode: machine.microcode)
  }
}
