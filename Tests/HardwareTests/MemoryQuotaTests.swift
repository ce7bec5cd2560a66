import Testing

@testable import Hardware

@Suite struct MemoryQuotaTests {
  private static let machine = "MemTotal:       8192 kB\nMemFree: 1 kB\nMemAvailable:   4096 kB\n"

  @Test("without a control group the machine's memory counts")
  func machineOnly() {
    let quota = MemoryQuota(files: Files(texts: ["/proc/meminfo": Self.machine]))
    #expect(quota.totalBytes == 8 << 20)
    #expect(quota.freeBytes == 4 << 20)
  }

  @Test("the tightest of the groups around the process counts, without pages that can be dropped")
  func unifiedGroups() {
    let quota = MemoryQuota(
      files: Files(texts: [
        "/proc/meminfo": Self.machine, "/proc/self/cgroup": "0::/box/inner\n",
        "/sys/fs/cgroup/box/inner/memory.max": "max\n",
        "/sys/fs/cgroup/box/memory.max": "3000000\n",
        "/sys/fs/cgroup/box/memory.current": "2500000\n",
        "/sys/fs/cgroup/box/memory.stat": "anon 1\ninactive_file 500000\n",
      ]))
    #expect(quota.totalBytes == 3_000_000)
    #expect(quota.freeBytes == 1_000_000)
  }

  @Test("groups of version 1 count too")
  func legacyGroups() {
    let quota = MemoryQuota(
      files: Files(texts: [
        "/proc/meminfo": Self.machine, "/proc/self/cgroup": "5:memory:/a\n",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "1000000\n",
        "/sys/fs/cgroup/memory/a/memory.usage_in_bytes": "400000\n",
      ]))
    #expect(quota.totalBytes == 1_000_000)
    #expect(quota.freeBytes == 600_000)
  }

  @Test("a machine that says nothing has no limit")
  func silence() {
    #expect(MemoryQuota(files: Files(texts: [:])).totalBytes == .max)
  }

  private struct Files: FileReading {
    var texts: [String: String]
    func text(at path: String) -> String? { texts[path] }
  }
}
