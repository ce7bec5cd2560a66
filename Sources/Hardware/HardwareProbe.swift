/// Finds out what the machine is, from `/proc`, `/sys` and facts of the process.
package struct HardwareProbe: Sendable {
  var files: any FileReading
  var process: ProcessFacts

  package init(files: any FileReading, process: ProcessFacts) {
    self.files = files
    self.process = process
  }

  /// The machine that this process runs on.
  ///
  /// - Throws: `HardwareProbeError` when Linux does not describe the processor.
  package static func host() throws(HardwareProbeError) -> HardwareDescription {
    try HardwareProbe(files: SystemFiles(), process: .current()).description()
  }

  /// The machine that the files and facts describe.
  ///
  /// Features are those that every usable core has and the operating system enables: Linux clears the
  /// flags of what it does not enable.
  package func description() throws(HardwareProbeError) -> HardwareDescription {
    guard let text = files.text(at: "/proc/cpuinfo") else { throw .unreadable("/proc/cpuinfo") }
    let processors = ProcessorInformation.parse(text)
    let usable = processors.filter { process.usableCores.contains($0.number) }
    let cores = usable.isEmpty ? processors : usable
    guard let first = cores.first else { throw .noProcessor(in: "/proc/cpuinfo") }
    let features = cores.dropFirst().reduce(first.features) { $0.intersection($1.features) }
    let instructionSet = try instructionSet(features: features)
    return HardwareDescription(
      compatibility: CompatibilityIdentity(
        architecture: process.machine, features: features.sorted(), libc: process.libc),
      tuning: TuningIdentity(
        model: model(of: cores), architecture: process.machine,
        vectorFeatures: instructionSet.vectorFeatures, vectorBytes: instructionSet.vectorBytes,
        vectorRegisters: instructionSet.vectorRegisters, threads: threads(cores: cores.count),
        cacheBytes: cacheBytes(core: first.number)))
  }

  private func instructionSet(
    features: Set<String>
  ) throws(HardwareProbeError) -> VectorInstructionSet {
    switch process.machine {
    case "x86_64": return VectorInstructionSet(x86: features)
    case "aarch64":
      return VectorInstructionSet(arm: features, scalableBytes: process.scalableVectorBytes)
    default: throw .unsupported(architecture: process.machine)
    }
  }

  /// One model, or all that differ (big and little cores), in the order of their cores.
  private func model(of cores: [ProcessorInformation]) -> String {
    var models: [String] = []
    for core in cores where !models.contains(core.model) { models.append(core.model) }
    return models.joined(separator: " + ")
  }

  private func threads(cores: Int) -> Int {
    let affinity = process.usableCores.isEmpty ? cores : process.usableCores.count
    guard let quota = CPUQuota(files: files).cores else { return affinity }
    // Rounded down: a thread beyond the quota makes every other wait when the group is throttled.
    return max(1, min(affinity, Int(quota)))
  }

  /// Level-1 data, level-2 and level-3 cache as `core` sees them; 0 where absent.
  private func cacheBytes(core: Int) -> [Int] {
    var sizes = [0, 0, 0]
    for index in 0..<16 {
      let folder = "/sys/devices/system/cpu/cpu\(core)/cache/index\(index)/"
      guard let level = files.line(at: folder + "level").flatMap({ Int($0) }) else { break }
      let kind = files.line(at: folder + "type")
      guard (1...3).contains(level), kind == "Data" || kind == "Unified" else { continue }
      sizes[level - 1] = files.line(at: folder + "size").flatMap(ByteCount.parse) ?? 0
    }
    return sizes
  }
}

/// Why the machine could not be described.
package enum HardwareProbeError: Error, Hashable, CustomStringConvertible {
  case unreadable(String)
  case noProcessor(in: String)
  case unsupported(architecture: String)

  package var description: String {
    switch self {
    case .unreadable(let path):
      "cannot read \(path); mount it, as the processor's features are read from it"
    case .noProcessor(let path): "\(path) lists no processor"
    case .unsupported(let architecture):
      "processor architecture \(architecture) is not supported; x86_64 and aarch64 are"
    }
  }
}
