import Glibc

/// Reads the small text files by which Linux describes a machine.
package protocol FileReading: Sendable {
  /// The content of a file; `nil` when it does not exist or cannot be read.
  func text(at path: String) -> String?
}

/// The files of the running machine.
package struct SystemFiles: FileReading {
  package init() {}

  package func text(at path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
      // Files under /proc do not tell their size: read until the end.
      let count = read(file, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }
}
