package import Glibc

/// Addresses of Unix sockets.
package enum UnixAddress {
  /// Calls `body` with the address of `path`.
  ///
  /// - Throws: `environment` when the path is longer than the system allows (107 bytes).
  package static func with(
    _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(ServiceError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw ServiceError(
        .environment,
        "the path of the socket is over 107 bytes: \(path); set GRANARY_SOCKET to a shorter one")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
