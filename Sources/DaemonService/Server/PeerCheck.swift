import Glibc

/// Lets in only the user that the daemon runs as, and root: the mode of the socket says so already, but an inherited
/// descriptor or a copied directory may not.
package enum PeerCheck {
  /// Whether a peer that runs as `user` is served by a daemon that runs as `owner`.
  package static func admits(user: UInt32, owner: UInt32 = geteuid()) -> Bool {
    user == owner || user == 0
  }

  /// The user on the other side of a Unix socket, as the kernel knows it; `nil` when it does not.
  ///
  /// Source: unix(7), `SO_PEERCRED` and `struct ucred`.
  static func user(of descriptor: Int32) -> UInt32? {
    var credentials: (process: Int32, user: UInt32, group: UInt32) = (0, .max, .max)
    var size = socklen_t(MemoryLayout.size(ofValue: credentials))
    let result = getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size)
    return result == 0 ? credentials.user : nil
  }
}
