import Glibc
import NIOCore

/// Lets in only the user that the daemon runs as, and root: the mode of the socket says so already, but an inherited
/// descriptor or a copied directory may not.
///
/// Source: unix(7), `SO_PEERCRED` and `struct ucred`.
enum PeerCheck {
  private struct Credentials: Sendable {
    var process: Int32 = 0
    var user: UInt32 = .max
    var group: UInt32 = .max
  }

  static func isOwner(_ channel: any Channel) -> EventLoopFuture<Bool> {
    guard let provider = channel as? any SocketOptionProvider else {
      return channel.eventLoop.makeSucceededFuture(false)
    }
    let peer: EventLoopFuture<Credentials> = provider.unsafeGetSocketOption(
      level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
    return peer.map { $0.user == geteuid() || $0.user == 0 }
  }
}
