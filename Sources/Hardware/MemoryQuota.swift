/// The memory that the machine and its control groups leave to this process.
package struct MemoryQuota: Sendable {
  private let files: any FileReading

  package init(files: any FileReading = SystemFiles()) { self.files = files }

  /// What the process may ever use, in bytes; `Int.max` where nothing says.
  package var totalBytes: Int {
    ([machine("MemTotal:")] + limits.map { .some($0.limit) }).compactMap(\.self).min() ?? .max
  }

  /// What the process may use now beyond what is in use, in bytes; `Int.max` where nothing says.
  package var freeBytes: Int {
    ([machine("MemAvailable:")] + limits.map { .some($0.limit - $0.used) }).compactMap(\.self).min()
      ?? .max
  }

  /// A line of `/proc/meminfo`, which counts in KiB.
  private func machine(_ name: String) -> Int? {
    files.text(at: "/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { Int($0.dropFirst(name.count).split(separator: " ").first ?? "") }
      .map { $0 << 10 }
  }

  /// The limit of each group with one, and what its processes use beyond file pages that can be dropped.
  private var limits: [(limit: Int, used: Int)] {
    ControlGroups(files: files).folders(of: "memory").compactMap { folder in
      let names =
        folder.isUnified
        ? ("memory.max", "memory.current", "inactive_file")
        : ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
      guard let limit = files.line(at: "\(folder.path)/\(names.0)").flatMap({ Int($0) }) else {
        return nil
      }
      let used = files.line(at: "\(folder.path)/\(names.1)").flatMap { Int($0) } ?? 0
      let droppable =
        files.text(at: "\(folder.path)/memory.stat")?.split(separator: "\n")
        .first { $0.hasPrefix(names.2 + " ") }
        .flatMap { Int($0.dropFirst(names.2.count + 1)) } ?? 0
      return (limit, max(0, used - droppable))
    }
  }
}
