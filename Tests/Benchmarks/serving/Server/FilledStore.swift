import CacheStore
import Hardware
import KernelSpec
import Support

/// A store as the daemon leaves it, with as many entries as wanted: real specs under their real keys, so that
/// the daemon serves them, and artifacts of 20 KB that compress to half, as compiled kernels do.
struct FilledStore {
  let directory: String

  /// The spec of entry `number`.
  static func spec(_ number: Int) -> String { "relu(x: f32[\(number + 1)])" }

  /// Publishes entries one after the other.
  ///
  /// - Throws: what the store, the probe or the spec throw.
  func fill(entries: Int) throws {
    let hardware = try HardwareProbe.host()
    let store = try CacheStore.open(directory: directory)
    var random = SeededRandom(seed: 1)
    for number in 0..<entries {
      let spec = try Spec.parse(Self.spec(number)).checked()
      let bytes = (0..<2560).flatMap { _ in
        let word = random.next()
        return (0..<8).map { UInt8(truncatingIfNeeded: word >> (4 * $0)) & 15 }
      }
      try publish(spec, bytes, for: hardware, in: store)
    }
    try store.close()
  }

  private func publish(
    _ spec: CheckedSpec, _ bytes: [UInt8], for host: HardwareDescription, in store: CacheStore
  ) throws {
    let hardware = host.tuning.canonicalText
    let key = KernelKey(spec: spec, hardware: hardware)
    let digest = Digest(of: bytes)
    let interface = KernelInterface(
      entryPoint: "kernel", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
      alignmentBytes: 64)
    _ = try store.publish(
      key: key.digest, spec: spec.canonicalText, name: "relu", hardware: hardware,
      parts: key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) }, verdict: .baseline,
      artifact: Artifact(
        manifest: .init(
          language: .c, interface: interface, toolchain: "none", requiredFeatures: [],
          architecture: host.compatibility.architecture, digest: digest), bytes: bytes),
      source: KernelSource(
        language: .c, text: "/* \(digest) */", compilerOptions: [], interface: interface),
      evidence: Evidence(
        artifact: digest, hardware: hardware, toolchain: "none", checks: [], timing: nil,
        recordedAt: 0), searchSeconds: 0)
  }
}
