import Glibc

/// The user on the other side of a Unix socket, as the kernel knew it when it connected.
package struct PeerCredentials: Sendable, Hashable {
  package var user: UInt32
  package var groups: Set<UInt32>

  package init(user: UInt32, groups: Set<UInt32>) {
    self.user = user
    self.groups = groups
  }

  /// - Returns: `nil` when the kernel does not tell, as for a socket of the network.
  ///
  /// Source: unix(7), `SO_PEERCRED` and `struct ucred`; socket(7), `SO_PEERGROUPS` (59 in asm-generic/socket.h).
  init?(of descriptor: Int32) {
    var credentials: (process: Int32, user: UInt32, group: UInt32) = (0, .max, .max)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0,
      credentials.user != .max
    else { return nil }
    user = credentials.user
    groups = [credentials.group]
    // Linux allows 65,536 groups; who is in more than these is in the first of them.
    var others = [UInt32](repeating: 0, count: 1024)
    size = socklen_t(others.count * MemoryLayout<UInt32>.size)
    if getsockopt(descriptor, SOL_SOCKET, 59, &others, &size) == 0 {
      groups.formUnion(others.prefix(Int(size) / MemoryLayout<UInt32>.size))
    }
  }

  /// The name of a user; `nil` when this machine has none for it.
  static func name(of user: UInt32) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 4096)
    guard getpwuid_r(user, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    return entry.pw_name.map { String(cString: $0) }
  }
}
