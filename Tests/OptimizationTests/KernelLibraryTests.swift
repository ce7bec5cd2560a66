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
}
