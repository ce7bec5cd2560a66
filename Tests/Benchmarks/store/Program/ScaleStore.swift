import CacheStore
import KernelSpec
import Support

/// A store of any number of entries as searches leave them: with manifests and evidence of the usual size, and with
/// artifacts of a kilobyte that do not compress, so that the index is what is measured.
struct ScaleStore {
  let directory: String
  static let entriesOfSmall = 1000

  static func key(_ number: Int) -> Digest { Digest(of: Array("entry \(number)".utf8)) }

  /// Fills the store until it has so many entries, or until the time is over; the next call goes on from there.
  ///
  /// - Returns: whether it has them.
  func fill(_ count: Int, minutes: Double) throws -> Bool {
    let store = try CacheStore.open(directory: directory)
    let clock = SystemTime()
    let begun = clock.monotonicSeconds
    let files = LocalFileSystem()
    let noted = try files.read(progress, limitBytes: 32).map { String(decoding: $0, as: UTF8.self) }
    let first = noted.flatMap { Int($0) } ?? 0
    var told = begun
    for number in first..<max(first, count) {
      let now = clock.monotonicSeconds
      if now - told > 10 {
        let rate = Double(number - first) / (now - begun)
        complain("\(number) of \(count) entries, \(Int(rate)) a second")
        told = now
      }
      if now - begun > minutes * 60 {
        try store.close()
        try files.write(Array("\(number)".utf8), atomicallyTo: progress)
        complain("\(number) of \(count) entries; run it again to go on")
        return false
      }
      try publish(number, in: store)
    }
    try store.close()
    try files.write(Array("\(max(first, count))".utf8), atomicallyTo: progress)
    return true
  }

  /// How many entries were published in earlier calls; some may have been collected since.
  private var progress: String { directory + ".filled" }

  private static let hardware =
    "model=AMD EPYC family 26 model 2;architecture=x86_64;vector=avx,avx2,avx512_bf16,avx512_bitalg,"
    + "avx512_vbmi2,avx512_vnni,avx512_vp2intersect,avx512_vpopcntdq,avx512bw,avx512cd,avx512dq,avx512f,"
    + "avx512ifma,avx512vbmi,avx512vl,avx_vnni,f16c,fma,gfni,pni,sse,sse2,sse4_1,sse4_2,sse4a,ssse3;"
    + "registers=32x64;threads=2;caches=49152,1048576,33554432"
  private static let features = [
    "abm", "adx", "avx", "avx2", "avx512_bf16", "avx512_bitalg", "avx512_vbmi2", "avx512_vnni",
    "avx512_vpopcntdq", "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512ifma", "avx512vbmi",
    "avx512vl", "avx_vnni", "bmi1", "bmi2", "f16c", "fma", "gfni", "movbe", "pni", "popcnt", "sse2",
    "sse4_1", "sse4_2", "sse4a", "ssse3",
  ]
  private static let toolchain =
    "Debian clang version 14.0.6 [bd70f27a4973] -O2 -ffp-contract=fast -fno-math-errno "
    + "-fno-trapping-math -fwrapv -fno-builtin -Wno-psabi"

  func publish(_ number: Int, in store: CacheStore) throws {
    var random = SeededRandom(seed: UInt64(number))
    let bytes = (0..<128).flatMap { _ in
      let word = random.next()
      return (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
    let digest = Digest(of: bytes)
    let size = Int.random(in: 1...512, using: &random)
    let shape = "f32[\(1 + number % 64),\(size),\(7 + number / 64 % 64),\(1 + number / 4096)]"
    let type = TensorType(.f32, [1 + number % 64, size, 7 + number / 64 % 64, 1 + number / 4096])
    let interface = KernelInterface(
      entryPoint: "granary_entry", inputs: [type, type], outputs: [type],
      inputDomains: [.any, .any], workspaceBytes: 0, alignmentBytes: 64)
    let spec = Self.spec(shape, channels: size)
    _ = try store.publish(
      key: Self.key(number), spec: spec, name: "conv_relu", hardware: Self.hardware,
      parts: [
        StoredKeyPart(name: "schema", value: "1"), StoredKeyPart(name: "spec", value: spec),
        StoredKeyPart(name: "numerics", value: "rtol=0.0001,atol=1e-05"),
        StoredKeyPart(name: "hardware", value: Self.hardware),
        StoredKeyPart(name: "abi", value: "1"),
      ], verdict: .tuned,
      artifact: Artifact(
        manifest: .init(
          language: .c, interface: interface, toolchain: Self.toolchain,
          requiredFeatures: Self.features, architecture: "x86_64", digest: digest), bytes: bytes),
      source: KernelSource(
        language: .c, text: "/* \(digest) */", compilerOptions: [], interface: interface),
      evidence: evidence(of: digest, number, using: &random), searchSeconds: 60)
  }

  private static func spec(_ shape: String, channels: Int) -> String {
    """
    {"granary_spec":1,"inputs":[{"name":"0","type":"\(shape)"},{"name":"1","type":\
    "f32[64,\(channels),1,1]"},{"name":"2","type":"f32[64]"},{"name":"3","type":"f32[64]"}],\
    "nodes":[{"args":{"bias":null,"dilation":[1,1],"groups":1,"input":"%0","output_padding":[0,0],\
    "padding":[0,0],"stride":[1,1],"transposed":false,"weight":"%1"},"id":"4",\
    "op":"aten.convolution.default","results":["\(shape)"]},{"args":{"other":"%2","self":"%4"},\
    "id":"5","op":"aten.mul.Tensor","results":["\(shape)"]},{"args":{"other":"%3","self":"%5"},\
    "id":"6","op":"aten.add.Tensor","results":["\(shape)"]},{"args":{"self":"%6"},"id":"7",\
    "op":"aten.relu.default","results":["\(shape)"]}],"outputs":["%7"]}
    """
  }

  /// As a search leaves it: errors of all digits, and times of forty pairs within some percent.
  private func evidence(of artifact: Digest, _ number: Int, using random: inout SeededRandom)
    -> Evidence
  {
    let seed = random.next()
    let distributions = [
      "normal", "uniform", "large", "tiny", "zeros", "special", "constant", "integers",
    ]
    let checks = distributions.enumerated().map { position, distribution in
      Evidence.CorrectnessCheck(
        distribution: distribution, seed: seed &+ UInt64(position),
        worstErrorOverTolerance: position % 3 == 2 ? 0 : Double.random(in: 0..<0.1, using: &random),
        elementsCompared: 1000 + number)
    }
    let nanoseconds = Double.random(in: 10_000...1_000_000, using: &random)
    func times(_ typical: Double) -> [Double] {
      (0..<40).map { _ in
        (typical * Double.random(in: 0.99...1.02, using: &random)).rounded()
      }
    }
    let speedup = Double.random(in: 1...4, using: &random)
    return Evidence(
      artifact: artifact, hardware: Self.hardware, toolchain: Self.toolchain, checks: checks,
      timing: .init(
        kernelNanoseconds: times(nanoseconds), baselineNanoseconds: times(nanoseconds * speedup),
        speedup: speedup, speedupLowerBound: speedup * 0.98,
        rooflineFraction: Double.random(in: 0..<1, using: &random)),
      recordedAt: 1_795_444_512 + Double.random(in: 0..<1e6, using: &random),
      provenance: .init(
        generator: "c4aa2a768bef", knowledge: "3690776c828d", kernel: "6.18.44-fc-v509",
        microcode: "0x1000065"))
  }
}
