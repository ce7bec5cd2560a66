import Glibc
import KernelSpec
import SimulatedFiles
import Support
import TestSupport

@testable import CacheStore

/// A store in a new directory, which goes away with the value.
struct StoreFixture {
  private let folder = TemporaryFolder()
  let files = SimulatedFileSystem()
  let time = ManualTime()
  var directory: String { folder.path }

  /// Opens the store with blob files in memory.
  func open() throws -> CacheStore {
    try CacheStore.open(directory: directory, fileSystem: files, clock: time)
  }
}

/// Bytes that do not compress, so that beyond 64 KiB they become a file.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
  var random = SeededRandom(seed: seed)
  return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func key(_ name: String) -> Digest { Digest(of: Array(name.utf8)) }

extension CacheStore {
  /// Publishes bytes under a name, whose digest is the key.
  @discardableResult
  func publish(
    _ name: String, _ bytes: [UInt8], verdict: Verdict = .baseline, seconds: Double = 0,
    spec: String? = nil, namespace: String = "", origin: String = "", isOnTrial: Bool = false
  ) throws -> Int {
    let interface = KernelInterface(
      entryPoint: "kernel", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
      alignmentBytes: 64)
    let digest = Digest(of: bytes)
    return try publish(
      key: key(name), spec: spec ?? "spec \(name)", name: name, hardware: "test",
      parts: [.init(name: "spec", value: "spec \(name)"), .init(name: "hardware", value: "test")],
      verdict: verdict,
      artifact: Artifact(
        manifest: .init(
          language: .c, interface: interface, toolchain: "cc", requiredFeatures: [],
          architecture: "x86_64", digest: digest), bytes: bytes),
      source: KernelSource(
        language: .c, text: "int \(name);", compilerOptions: [], interface: interface),
      evidence: Evidence(
        artifact: digest, hardware: "test", toolchain: "cc", checks: [], timing: nil,
        recordedAt: 1), searchSeconds: seconds, namespace: namespace, origin: origin,
      isOnTrial: isOnTrial)
  }
}
