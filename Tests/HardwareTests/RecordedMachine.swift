import Hardware

/// The files of a machine, as text.
struct RecordedFiles: FileReading {
  var files: [String: String]

  func text(at path: String) -> String? { files[path] }
}

/// A machine that was recorded: what its files and its process say.
struct RecordedMachine {
  var files: [String: String]
  var process: ProcessFacts

  func description() throws -> HardwareDescription {
    try HardwareProbe(files: RecordedFiles(files: files), process: process).description()
  }

  /// The files of a core's caches, as (level, type, size).
  static func caches(core: Int, _ caches: [(Int, String, String)]) -> [String: String] {
    var files: [String: String] = [:]
    for (index, cache) in caches.enumerated() {
      let folder = "/sys/devices/system/cpu/cpu\(core)/cache/index\(index)/"
      files[folder + "level"] = "\(cache.0)\n"
      files[folder + "type"] = cache.1 + "\n"
      files[folder + "size"] = cache.2 + "\n"
    }
    return files
  }

  /// A cloud machine with two Zen 5 cores.
  static var zen5: RecordedMachine {
    let flags = """
      fpu vme tsc cx8 sse sse2 ht syscall nx pni ssse3 fma sse4_1 sse4_2 avx f16c avx2 bmi2 avx512f \
      avx512dq avx512bw avx512vl avx_vnni avx512_bf16 avx512_vnni fsrm
      """
    let processors = (0..<2).map { core in
      """
      processor\t: \(core)
      vendor_id\t: AuthenticAMD
      cpu family\t: 26
      model\t\t: 2
      model name\t: AMD EPYC
      stepping\t: 1
      flags\t\t: \(flags)
      bugs\t\t: sysret_ss_attrs
      """
    }
    let caches = caches(
      core: 0,
      [
        (1, "Data", "48K"), (1, "Instruction", "32K"), (2, "Unified", "1024K"),
        (3, "Unified", "32768K"),
      ])
    let files = ["/proc/cpuinfo": processors.joined(separator: "\n\n") + "\n\n"]
    return RecordedMachine(
      files: files.merging(caches) { $1 },
      process: ProcessFacts(machine: "x86_64", usableCores: [0, 1], libc: "glibc 2.36"))
  }

  /// A Core 2 Duo: SSE only, no third level.
  static var core2: RecordedMachine {
    let cpuinfo = """
      processor\t: 0
      vendor_id\t: GenuineIntel
      cpu family\t: 6
      model\t\t: 15
      model name\t: Intel(R) Core(TM)2 CPU          6600  @ 2.40GHz
      flags\t\t: fpu mmx fxsr sse sse2 ss ht tm pbe syscall nx lm pni ssse3 cx16 lahf_lm

      processor\t: 1
      vendor_id\t: GenuineIntel
      cpu family\t: 6
      model\t\t: 15
      model name\t: Intel(R) Core(TM)2 CPU          6600  @ 2.40GHz
      flags\t\t: fpu mmx fxsr sse sse2 ss ht tm pbe syscall nx lm pni ssse3 cx16 lahf_lm

      """
    let caches = caches(
      core: 0, [(1, "Data", "32K"), (1, "Instruction", "32K"), (2, "Unified", "4M")])
    return RecordedMachine(
      files: ["/proc/cpuinfo": cpuinfo].merging(caches) { $1 },
      process: ProcessFacts(machine: "x86_64", usableCores: [0, 1], libc: "glibc 2.31"))
  }

  /// Four cores of a Graviton 3.
  static var graviton3: RecordedMachine {
    let processors = (0..<4).map { core in
      """
      processor\t: \(core)
      BogoMIPS\t: 2100.00
      Features\t: fp asimd evtstrm aes crc32 atomics fphp asimdhp cpuid asimdrdm asimddp sve i8mm bf16
      CPU implementer\t: 0x41
      CPU architecture: 8
      CPU variant\t: 0x1
      CPU part\t: 0xd40
      CPU revision\t: 1
      """
    }
    let caches = caches(
      core: 0,
      [
        (1, "Data", "64K"), (1, "Instruction", "64K"), (2, "Unified", "1024K"),
        (3, "Unified", "32768K"),
      ])
    return RecordedMachine(
      files: ["/proc/cpuinfo": processors.joined(separator: "\n\n")].merging(caches) { $1 },
      process: ProcessFacts(
        machine: "aarch64", usableCores: [0, 1, 2, 3], libc: "glibc 2.34",
        scalableVectorBytes: 32))
  }

  /// A Raspberry Pi 4: text after the last processor, and no cache files.
  static var raspberryPi4: RecordedMachine {
    let processors = (0..<4).map { core in
      """
      processor\t: \(core)
      BogoMIPS\t: 108.00
      Features\t: fp asimd evtstrm crc32 cpuid
      CPU implementer\t: 0x41
      CPU architecture: 8
      CPU variant\t: 0x0
      CPU part\t: 0xd08
      CPU revision\t: 3
      """
    }
    let board =
      "Revision\t: c03111\nSerial\t\t: 100000001\nModel\t\t: Raspberry Pi 4 Model B Rev 1.1\n"
    return RecordedMachine(
      files: ["/proc/cpuinfo": (processors + [board]).joined(separator: "\n\n")],
      process: ProcessFacts(machine: "aarch64", usableCores: [0, 1, 2, 3], libc: "glibc 2.31"))
  }
}
