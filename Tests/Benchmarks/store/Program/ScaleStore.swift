import CacheStore
import KernelSpec
import Support

/// A store of any number of entries as searches leave them: with manifests and evidence of the usual size, and with
/// artifacts of a kilobyte that do not compress, so that the index is what is measured.
struct ScaleStore {
  let directory: String
  static let entriesOfSmall = 1000

  static func key(_ number: Int) -> Digest { Digest(of: Array("entry \(number)".utf8)) }

  func fill(_ count: Int) throws {
    let store = try CacheStore.open(directory: directory)
    for number in 0..<count {
      try publish(number, in: store)
      if (number + 1) % 100_000 == 0 { print("\(number + 1) entries") }
    }
    try store.close()
  }

  private static let hardware =
    "model=AMD EPYC family 26 model 2;architecture=x86_64;vector=avx,avx2,avx512_bf16,avx512_bitalg,"
    + "avx512_vbmi2,avx512_vnni,avx512_vp2intersect,avx512_vpopcntdq,avx512bw,avx512cd,avx512dq,avx512f,"
    + "avx512ifma,avx512vbmi,avx512vl,avx_vnni,f16c,fma,gfni,pni,sse,sse2,sse4_1,sse4_2,sse4a,ssse3;"
    + "registers=32x64;threads=2;caches=49152,1048576,33554432"
  private static let features = (0..<120).map { "feature\($0)" }

  func publish(_ number: Int, in store: CacheStore) throws {
    var random = SeededRandom(seed: UInt64(number))
    let bytes = (0..<128).flatMap { _ in
      let word = random.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    let digest = Digest(of: bytes)
    let interface = KernelInterface(
      entryPoint: "granary_entry", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
      alignmentBytes: 4)
    let spec =
      "{\"granary_spec\":1,\"inputs\":[{\"name\":\"a\",\"type\":\"f32[\(number + 1)]\"}],\"nodes\":[{\"id\":"
      + "\"n\",\"op\":\"aten.relu\",\"args\":{\"self\":\"%a\"}}],\"outputs\":[\"%n\"],\"numerics\":{}}"
    let checks = ["normal", "uniform", "large", "tiny", "zeros", "special", "integers"].map {
      Evidence.CorrectnessCheck(
        distribution: $0, seed: random.next(), worstErrorOverTolerance: 0, elementsCompared: number)
    }
    let times = (0..<20).map { _ in Double(random.next() % 100) + 1000 }
    _ = try store.publish(
      key: Self.key(number), spec: spec, name: "relu", hardware: Self.hardware,
      parts: [
        StoredKeyPart(name: "schema", value: "1"), StoredKeyPart(name: "spec", value: spec),
        StoredKeyPart(name: "hardware", value: Self.hardware),
        StoredKeyPart(name: "abi", value: "1"),
      ], verdict: .tuned,
      artifact: Artifact(
        manifest: .init(
          language: .c, interface: interface, toolchain: "Debian clang version 14.0.6 x86_64",
          requiredFeatures: Self.features, architecture: "x86_64", digest: digest), bytes: bytes),
      source: KernelSource(
        language: .c, text: "/* \(digest) */", compilerOptions: [], interface: interface),
      evidence: Evidence(
        artifact: digest, hardware: Self.hardware, toolchain: "Debian clang version 14.0.6 x86_64",
        checks: checks,
        timing: .init(
          kernelNanoseconds: times, baselineNanoseconds: times, speedup: 1.5,
          speedupLowerBound: 1.4, rooflineFraction: 0.5),
        recordedAt: 1_795_444_512), searchSeconds: 60)
  }
}
