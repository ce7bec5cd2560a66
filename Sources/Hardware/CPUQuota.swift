/// The share of the machine that control groups leave to this process.
struct CPUQuota {
  var files: any FileReading

  /// How many cores' worth of time the process may use; `nil` without a limit.
  ///
  /// The smallest limit of the process's group and of every group around it.
  var cores: Double? {
    ControlGroups(files: files).folders(of: "cpu").compactMap {
      $0.isUnified ? unifiedLimit($0.path) : legacyLimit($0.path)
    }.min()
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
