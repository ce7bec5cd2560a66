import Glibc
import Support

/// How long the threads of a process have been ready to run without a core to run on: what other work on the
/// machine has cost them.
///
/// Source: the second field of `/proc/PID/task/TID/schedstat` (Linux, Documentation/scheduler/sched-stats.rst),
/// in nanoseconds.
final class ThreadWaits {
  private let files: [Int32]

  /// - Parameters:
  ///   - process: the process, or one that started it in namespaces of its own and did nothing else: whoever is
  ///     last in a line of only children is meant. All of its threads must have been started.
  init(of process: Int32) {
    var leaf = process
    while let child = Self.onlyChild(of: leaf) { leaf = child }
    let folder = "/proc/\(leaf)/task"
    files = (directoryEntries(folder) ?? []).map {
      open("\(folder)/\($0)/schedstat", O_RDONLY | O_CLOEXEC)
    }.filter { $0 >= 0 }
  }

  deinit {
    for file in files { close(file) }
  }

  /// Nanoseconds of all threads together since they were started; `nil` where the system does not say.
  var nanoseconds: UInt64? {
    var sum: UInt64 = 0
    for file in files {
      guard let fields = Self.fields(of: file), fields.count > 1, let waited = UInt64(fields[1])
      else { return nil }
      sum &+= waited
    }
    return files.isEmpty ? nil : sum
  }

  private static func onlyChild(of process: Int32) -> Int32? {
    let file = open("/proc/\(process)/task/\(process)/children", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    let children = fields(of: file) ?? []
    return children.count == 1 ? Int32(children[0]) : nil
  }

  private static func fields(of file: Int32) -> [Substring]? {
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = pread(file, &bytes, bytes.count, 0)
    guard count >= 0 else { return nil }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
      .split { $0 == " " || $0 == "\n" }
  }
}
