import CGranary
import Glibc
import Synchronization

/// Why a kernel did not run.
public struct KernelFailure: Error, Hashable, CustomStringConvertible {
  /// A status of `granary.h`.
  public var status: Int32
  public var description: String

  init(status: Int32, description: String) {
    self.status = status
    self.description = description
  }

  /// Whether the caller's data is at fault, so that the caller's own operator would fail as well.
  var isCallers: Bool { status == GRANARY_INDEX_OUT_OF_RANGE }

  /// Says on standard error, once for the process, that the caller's own operators run.
  func noteFallback() {
    let isFirst = !Self.noted.exchange(true, ordering: .relaxed)
    guard isFirst else { return }
    let line = "granary: no kernel: \(description); the program's own operators run\n"
    _ = line.utf8.withContiguousStorageIfAvailable {
      write(STDERR_FILENO, $0.baseAddress, $0.count)
    }
  }

  private static let noted = Atomic(false)
}
