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

  @Test("a stored kernel for another instruction set is not served; one for this machine is made")
  func foreignInstructionSets() async throws {
    let temporary = try await TemporaryLibrary()
    let (library, spec) = (temporary.library, "relu(x: f32[11,17])")
    let own = try #require(try await library.resolve(spec, .baseline).kernel)
    let (checked, key) = try library.identify(spec)
    for change in [
      { (manifest: inout Artifact.Manifest) in manifest.requiredFeatures = ["no-such-feature"] },
      { (manifest: inout Artifact.Manifest) in manifest.architecture = "riscv64" },
    ] {
      var foreign = own.artifact
      foreign.bytes += [0]
      foreign.manifest.digest = Digest(of: foreign.bytes)
      change(&foreign.manifest)
      var evidence = own.evidence
      evidence.artifact = foreign.manifest.digest
      let source = try #require(try library.store.source(artifact: own.artifact.manifest.digest))
      let revision = try library.store.publish(
        key: key.digest, spec: checked.canonicalText, name: checked.name, hardware: "",
        parts: [], verdict: .tuned, artifact: foreign, source: source, evidence: evidence,
        searchSeconds: 0)
      #expect(try await library.resolve(spec, .cached).status == .miss)
      let again = try await library.resolve(spec, .baseline)
      #expect(again.status == .baseline)
      #expect(again.kernel?.artifact.manifest.architecture == own.artifact.manifest.architecture)
      #expect(again.kernel?.revision ?? 0 > revision)
    }
    try temporary.remove()
  }
}
