/// The share of the machine that control groups leave to this process.
struct CPUQuota {
  var files: any FileReading

  /// How many cores' worth of time the process may use; `nil` without a limit.
  ///
  /// The smallest limit of the process's group and of every group around it.
  var cores: Double? {
    guard let membership = files.text(at: "/proc/self/cgroup") else { return nil }
    return membership.split(separator: "\n").flatMap(limits(line:)).min()
  }

  /// - Parameter line: `hierarchy:controllers:path`; version 2 has hierarchy 0 and no controllers.
  private func limits(line: Substring) -> [Double] {
    let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return [] }
    if parts[0] == "0", parts[1].isEmpty {
      return groups(around: parts[2]).compactMap { unifiedLimit("/sys/fs/cgroup\($0)") }
    }
    guard parts[1].split(separator: ",").contains("cpu") else { return [] }
    return groups(around: parts[2]).compactMap { group in
      legacyLimit("/sys/fs/cgroup/\(parts[1])\(group)") ?? legacyLimit("/sys/fs/cgroup/cpu\(group)")
    }
  }

  /// The group and its ancestors: `/a/b`, `/a`, and the empty path of the root.
  private func groups(around path: Substring) -> [String] {
    var names = path.split(separator: "/")
    var groups: [String] = []
    while !names.isEmpty {
      groups.append("/" + names.joined(separator: "/"))
      names.removeLast()
    }
    return groups + [""]
  }

  private func unifiedLimit(_ folder: String) -> Double? {
    let parts = files.line(at: folder + "/cpu.max")?.split(separator: " ") ?? []
    guard parts.count == 2 else { return nil }
    return ratio(String(parts[0]), String(parts[1]))
  }

  private func legacyLimit(_ folder: String) -> Double? {
    guard let quota = files.line(at: folder + "/cpu.cfs_quota_us"),
      let period = files.line(at: folder + "/cpu.cfs_period_us")
    else { return nil }
    return ratio(quota, period)
  }

  /// `nil` when there is no limit, written `max` or `-1`.
  private func ratio(_ quota: String, _ period: String) -> Double? {
    guard let quota = Double(quota), let period = Double(period), quota > 0, period > 0 else {
      return nil
    }
    return quota / period
  }
}

extension FileReading {
  /// The first line of a file; `nil` when there is none.
  func line(at path: String) -> String? {
    text(at: path)?.split(separator: "\n").first.map(String.init)
  }
}

/// Sizes as `/sys` writes them.
enum ByteCount {
  /// Reads `48K`, `32M` or a plain number of bytes.
  static func parse(_ text: String) -> Int? {
    switch text.last {
    case "K": Int(text.dropLast()).map { $0 << 10 }
    case "M": Int(text.dropLast()).map { $0 << 20 }
    default: Int(text)
    }
  }
}
