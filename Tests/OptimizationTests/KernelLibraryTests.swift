import CacheStore
import KernelSpec
import Testing

@testable import Optimization

@Suite("KernelLibrary")
struct KernelLibraryTests {
  @Test(
    "a miss is answered with a verified baseline, and the next request is a hit",
    arguments: [
      "relu(x: f32[11,17])",
      "softmax(x: f32[33,77], dim: -1)",
      "gelu(linear(x: f32[16,48], w: f32[40,48], b: f32[40]))",
      "sum(x: f32[9,130], dim: [1])",
      "sum(x: f32[100000,32], dim: [0])",
      "mean(x: f32[600011])",
      "amax(x: bf16[700,999])",
      "sum(x: i32[300007])",
    ])
  func aMissGivesABaselineThenAHit(spec: String) async throws {
    let temporary = try await TemporaryLibrary()
    let first = try await temporary.library.resolve(spec, .baseline)
    #expect(first.status == .baseline)
    let kernel = try #require(first.kernel)
    #expect(kernel.verdict == .baseline)
    #expect(!kernel.evidence.checks.isEmpty)
    #expect(kernel.evidence.artifact == Digest(of: kernel.artifact.bytes))
    let second = try await temporary.library.resolve(spec, .cached)
    #expect(second.status == .hit)
    #expect(second.kernel == kernel)
    try temporary.remove()
  }

  @Test("a kernel for another instruction set or architecture is not served: it is a miss")
  func foreignKernelsAreRefused() async throws {
    let temporary = try await TemporaryLibrary()
    let spec = "relu(x: f32[3,5])"
    let own = try #require(try await temporary.library.resolve(spec, .baseline).kernel)
    #expect(try await temporary.library.resolve(spec, .cached).status == .hit)
    let plan = try KernelPlan(
      spec: try Spec.parse(spec).checked(), hardware: temporary.library.workshop.hardware)
    for isArchitecture in [false, true] {
      var artifact = own.artifact
      if isArchitecture {
        artifact.manifest.architecture = "riscv64"
      } else {
        artifact.manifest.requiredFeatures.append("avx4096")
      }
      _ = try temporary.library.store.publish(
        Workshop.Built(
          source: KernelSource(
            language: .c, text: "", compilerOptions: [], interface: artifact.manifest.interface),
          artifact: artifact),
        verdict: .baseline, evidence: own.evidence, searchSeconds: 0, of: plan)
      #expect(try await temporary.library.resolve(spec, .cached).status == .miss)
      let again = try await temporary.library.resolve(spec, .baseline)
      #expect(again.status == .baseline)
      #expect(try await temporary.library.resolve(spec, .cached).status == .hit)
    }
    try temporary.remove()
  }
}
