/// What a processor's vector instructions offer a compiler.
struct VectorInstructionSet: Sendable, Hashable {
  var vectorFeatures: [String]
  var vectorBytes: Int
  var vectorRegisters: Int

  /// - Parameter features: the flags of `/proc/cpuinfo`.
  init(x86 features: Set<String>) {
    vectorFeatures = features.filter(Self.isX86VectorFeature).sorted()
    if features.contains("avx512f") {
      (vectorBytes, vectorRegisters) = (64, 32)
    } else if features.contains("avx") {
      (vectorBytes, vectorRegisters) = (32, 16)
    } else {
      (vectorBytes, vectorRegisters) = (16, 16)
    }
  }

  /// - Parameters:
  ///   - features: the features of `/proc/cpuinfo`.
  ///   - scalableBytes: the length of a scalable register of this process.
  init(arm features: Set<String>, scalableBytes: Int) {
    vectorFeatures = features.filter(Self.isArmVectorFeature).sorted()
    vectorBytes = features.contains("sve") ? max(16, scalableBytes) : 16
    vectorRegisters = 32
  }

  private static func isX86VectorFeature(_ name: String) -> Bool {
    let names: Set = ["pni", "ssse3", "f16c", "fma", "fma4", "xop", "gfni"]
    let families = ["sse", "avx", "amx_"]
    return names.contains(name) || families.contains { name.hasPrefix($0) }
  }

  private static func isArmVectorFeature(_ name: String) -> Bool {
    let names: Set = ["fp", "fphp", "bf16", "i8mm", "fcma", "jscvt"]
    let families = ["asimd", "sve", "sme"]
    return names.contains(name) || families.contains { name.hasPrefix($0) }
  }
}
