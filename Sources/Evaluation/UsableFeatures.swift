import Hardware
import KernelSpec
import Synchronization

/// The features of the host that a compiler may use for it.
final class UsableFeatures: Sendable {
  private let compiler: String
  private let host: CompatibilityIdentity
  private let timeLimit: Duration
  private let known = Mutex<[String]?>(nil)

  init(compiler: String, host: CompatibilityIdentity, timeLimit: Duration) {
    self.compiler = compiler
    self.host = host
    self.timeLimit = timeLimit
  }

  /// The features, or all of the host's when the compiler does not say.
  func value() async -> [String] {
    if let known = known.withLock({ $0 }) { return known }
    let run = await ToolRun.run(
      [compiler, "-march=native", "-dM", "-E", "-x", "c", "/dev/null"], timeLimit: timeLimit)
    let usable = InstructionSetMacros.features(in: run.output)
    let isKnown = run.status == 0 && !usable.isEmpty
    let features = isKnown ? usable.filter(Set(host.features).contains) : host.features
    known.withLock { $0 = features }
    return features
  }
}

/// Which instruction set features a compiler may use, from the macros that it defines.
///
/// Only features that compilers use for plain C are listed: what needs intrinsics (encryption, matrix tiles) or
/// the operating system (cache control) is not in a kernel. Machines that differ in those share kernels.
///
/// Sources: the predefined macros of clang and gcc (`-dM -E`); the flags of `/proc/cpuinfo`, as in Linux
/// `arch/x86/include/asm/cpufeatures.h` and `arch/arm64/kernel/cpuinfo.c`.
enum InstructionSetMacros {
  /// The features, sorted, as `/proc/cpuinfo` names them.
  ///
  /// - Parameter definitions: lines as in `#define __AVX2__ 1`.
  static func features(in definitions: String) -> [String] {
    var found: Set<String> = []
    for line in definitions.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count > 1, words[0] == "#define", let name = names[String(words[1])] else {
        continue
      }
      found.insert(name)
    }
    return found.sorted()
  }

  private static let names: [String: String] = [
    "__SSE2__": "sse2", "__SSE3__": "pni", "__SSSE3__": "ssse3", "__SSE4_1__": "sse4_1",
    "__SSE4_2__": "sse4_2", "__SSE4A__": "sse4a", "__AVX__": "avx", "__AVX2__": "avx2",
    "__FMA__": "fma", "__FMA4__": "fma4", "__XOP__": "xop", "__F16C__": "f16c",
    "__POPCNT__": "popcnt", "__LZCNT__": "abm", "__BMI__": "bmi1", "__BMI2__": "bmi2",
    "__TBM__": "tbm", "__MOVBE__": "movbe", "__ADX__": "adx", "__AVX512F__": "avx512f",
    "__AVX512CD__": "avx512cd", "__AVX512BW__": "avx512bw", "__AVX512DQ__": "avx512dq",
    "__AVX512VL__": "avx512vl", "__AVX512ER__": "avx512er", "__AVX512PF__": "avx512pf",
    "__AVX512IFMA__": "avx512ifma", "__AVX512VBMI__": "avx512vbmi",
    "__AVX512VBMI2__": "avx512_vbmi2", "__AVX512VNNI__": "avx512_vnni",
    "__AVX512BITALG__": "avx512_bitalg", "__AVX512VPOPCNTDQ__": "avx512_vpopcntdq",
    "__AVX512BF16__": "avx512_bf16", "__AVX512FP16__": "avx512_fp16", "__AVXVNNI__": "avx_vnni",
    "__AVXIFMA__": "avx_ifma", "__GFNI__": "gfni",
    "__ARM_NEON": "asimd", "__ARM_FEATURE_ATOMICS": "atomics", "__ARM_FEATURE_CRC32": "crc32",
    "__ARM_FEATURE_QRDMX": "asimdrdm", "__ARM_FEATURE_DOTPROD": "asimddp",
    "__ARM_FEATURE_FP16_SCALAR_ARITHMETIC": "fphp",
    "__ARM_FEATURE_FP16_VECTOR_ARITHMETIC": "asimdhp", "__ARM_FEATURE_FP16_FML": "asimdfhm",
    "__ARM_FEATURE_BF16_VECTOR_ARITHMETIC": "bf16", "__ARM_FEATURE_MATMUL_INT8": "i8mm",
    "__ARM_FEATURE_COMPLEX": "fcma", "__ARM_FEATURE_JCVT": "jscvt", "__ARM_FEATURE_SVE": "sve",
    "__ARM_FEATURE_SVE2": "sve2", "__ARM_FEATURE_FRINT": "frint",
  ]
}
