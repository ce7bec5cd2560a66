import Hardware
import Testing

@Suite struct HardwareProbeTests {
  @Test("a Zen 5 virtual machine is described with its 512-bit registers and caches")
  func zen5() throws {
    let tuning = try RecordedMachine.zen5.description().tuning
    #expect(tuning.model == "AMD EPYC family 26 model 2")
    #expect(tuning.architecture == "x86_64")
    #expect((tuning.vectorBytes, tuning.vectorRegisters) == (64, 32))
    #expect(tuning.threads == 2)
    #expect(tuning.cacheBytes == [48 << 10, 1 << 20, 32 << 20])
    #expect(tuning.vectorFeatures.contains("avx512_bf16"))
    #expect(!tuning.vectorFeatures.contains("tsc"))
  }

  @Test("an SSE-only processor has 16-byte registers and no third cache")
  func core2() throws {
    let tuning = try RecordedMachine.core2.description().tuning
    #expect((tuning.vectorBytes, tuning.vectorRegisters) == (16, 16))
    #expect(tuning.cacheBytes == [32 << 10, 4 << 20, 0])
    #expect(tuning.vectorFeatures == ["pni", "sse", "sse2", "ssse3"])
    #expect(tuning.model == "Intel(R) Core(TM)2 CPU 6600 @ 2.40GHz family 6 model 15")
  }

  @Test("a Graviton is described with its scalable registers")
  func graviton() throws {
    let description = try RecordedMachine.graviton3.description()
    #expect(description.tuning.model == "Neoverse-V1 implementer 0x41 part 0xd40 variant 0x1")
    #expect((description.tuning.vectorBytes, description.tuning.vectorRegisters) == (32, 32))
    #expect(description.compatibility.features.contains("i8mm"))
    #expect(description.compatibility.libc == "glibc 2.34")
  }

  @Test("a Raspberry Pi is described though it has no cache files")
  func raspberryPi() throws {
    let tuning = try RecordedMachine.raspberryPi4.description().tuning
    #expect(tuning.model == "Cortex-A72 implementer 0x41 part 0xd08 variant 0x0")
    #expect((tuning.vectorBytes, tuning.threads) == (16, 4))
    #expect(tuning.cacheBytes == [0, 0, 0])
  }

  @Test("only cores that the process may use are counted, and features are those all of them have")
  func heterogeneousCores() throws {
    var machine = RecordedMachine.graviton3
    machine.files["/proc/cpuinfo"] = """
      processor : 0
      Features : fp asimd
      CPU implementer : 0x41
      CPU part : 0xd03
      CPU variant : 0x0

      processor : 1
      Features : fp asimd asimddp
      CPU implementer : 0x41
      CPU part : 0xd0b
      CPU variant : 0x1
      """
    machine.process.usableCores = [0, 1]
    let both = try machine.description()
    #expect(both.compatibility.features == ["asimd", "fp"])
    #expect(both.tuning.model.contains("Cortex-A53") && both.tuning.model.contains(" + Cortex-A76"))
    machine.process.usableCores = [1]
    let big = try machine.description()
    #expect(big.compatibility.features == ["asimd", "asimddp", "fp"])
    #expect(big.tuning.threads == 1)
  }

  @Test("a machine without a readable cpuinfo is an error that names the file")
  func unreadable() {
    var machine = RecordedMachine.zen5
    machine.files["/proc/cpuinfo"] = nil
    #expect(throws: HardwareProbeError.unreadable("/proc/cpuinfo")) { try machine.description() }
    machine.files["/proc/cpuinfo"] = "no processors here\n"
    #expect(throws: HardwareProbeError.noProcessor(in: "/proc/cpuinfo")) {
      try machine.description()
    }
    machine = .zen5
    machine.process.machine = "riscv64"
    #expect(throws: HardwareProbeError.unsupported(architecture: "riscv64")) {
      try machine.description()
    }
  }

  @Test("this machine is described")
  func host() throws {
    let host = try HardwareProbe.host()
    #expect(host.tuning.threads >= 1)
    #expect(host.tuning.vectorBytes >= 16)
    #expect(!host.compatibility.features.isEmpty)
    #expect(host.compatibility.architecture == host.tuning.architecture)
    #expect(try HardwareProbe.host() == host)
  }

  @Test(
    "a control group's quota limits the threads",
    arguments: [
      ("0::/box/inner", "/sys/fs/cgroup/box/inner/cpu.max", "200000 100000", 2),
      ("0::/box/inner", "/sys/fs/cgroup/box/cpu.max", "150000 100000", 1),
      ("0::/", "/sys/fs/cgroup/cpu.max", "max 100000", 4),
      ("0::/", "/sys/fs/cgroup/cpu.max", "50000 100000", 1),
    ])
  func unifiedQuota(membership: String, path: String, limit: String, threads: Int) throws {
    var machine = RecordedMachine.raspberryPi4
    machine.files["/proc/self/cgroup"] = membership + "\n"
    machine.files[path] = limit + "\n"
    #expect(try machine.description().tuning.threads == threads)
  }

  @Test(
    "a quota of the older control groups limits the threads", arguments: [("300000", 3), ("-1", 4)])
  func legacyQuota(quota: String, threads: Int) throws {
    var machine = RecordedMachine.raspberryPi4
    machine.files["/proc/self/cgroup"] = "5:memory:/a\n3:cpu,cpuacct:/docker/abc\n"
    machine.files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us"] = quota + "\n"
    machine.files["/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us"] = "100000\n"
    #expect(try machine.description().tuning.threads == threads)
  }

  @Test("a kernel is permitted only where all of its features and its architecture are")
  func permits() throws {
    let identity = try RecordedMachine.zen5.description().compatibility
    #expect(identity.permits(required: [], architecture: "x86_64"))
    #expect(identity.permits(required: ["avx512f", "fma"], architecture: "x86_64"))
    #expect(!identity.permits(required: ["avx512f", "amx_tile"], architecture: "x86_64"))
    #expect(!identity.permits(required: [], architecture: "aarch64"))
  }
}
