import CacheStore
import KernelSpec
import Support

/// Kernels whose bytes follow from their names; that of the name `large` is a file of its own.
struct ExerciseKernels {
  let store: CacheStore

  private func bytes(_ name: String) -> [UInt8] {
    var random = SeededRandom(seed: name.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) })
    return (0..<(name == "large" ? 80_000 : 500)).map { _ in
      UInt8(truncatingIfNeeded: random.next())
    }
  }

  private func key(_ name: String) -> Digest { Digest(of: Array(name.utf8)) }

  func has(_ name: String) throws -> Bool {
    try store.lookup(key: key(name))?.artifact.bytes == bytes(name)
  }

  func publish(_ name: String, origin: String = "") throws {
    let bytes = bytes(name)
    let digest = Digest(of: bytes)
    let interface = KernelInterface(
      entryPoint: "kernel", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
      alignmentBytes: 64)
    let revision = try store.publish(
      key: key(name), spec: "spec \(name)", name: name, hardware: "test",
      parts: [.init(name: "spec", value: "spec \(name)"), .init(name: "hardware", value: "test")],
      verdict: .baseline,
      artifact: Artifact(
        manifest: .init(
          language: .c, interface: interface, toolchain: "cc", requiredFeatures: [],
          architecture: "x86_64", digest: digest), bytes: bytes),
      source: KernelSource(
        language: .c, text: "int \(name);", compilerOptions: [], interface: interface),
      evidence: Evidence(
        artifact: digest, hardware: "test", toolchain: "cc", checks: [], timing: nil,
        recordedAt: 1), searchSeconds: 0, origin: origin)
    guard !origin.isEmpty else { return }
    try store.keepSignatures(["signer": [1]], key: key(name), revision: revision)
  }
}
