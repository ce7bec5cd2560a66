import DaemonAPI
import Glibc
import ServiceLifecycle

/// Tells systemd how the daemon is, when systemd wants to know.
///
/// Source: sd_notify(3).
package struct SystemdNotifier: Service {
  private let socket: String?
  /// Half of the interval after which systemd gives the daemon up.
  private let watchdog: Duration?

  package init(environment: [String: String]) {
    socket = environment["NOTIFY_SOCKET"]
    watchdog = environment["WATCHDOG_USEC"].flatMap { Int($0) }.map { .microseconds($0 / 2) }
  }

  package func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while let watchdog {
        try await Task.sleep(for: watchdog)
        notify("WATCHDOG=1")
      }
      try await gracefulShutdown()
    }
    notify("STOPPING=1")
  }

  /// Sends one state; silently nothing when nobody listens.
  package func notify(_ state: String) {
    guard var path = socket, !path.isEmpty else { return }
    // An abstract address is written with @ in place of its leading zero byte.
    if path.hasPrefix("@") { path = "\0" + path.dropFirst() }
    let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let text = Array(state.utf8)
    let isAbstract = path.hasPrefix("\0")
    let length = path.utf8.count
    _ = try? UnixAddress.with(path) { address, size in
      let used = isAbstract ? socklen_t(2 + length) : size
      return Int32(sendto(descriptor, text, text.count, Int32(MSG_NOSIGNAL), address, used))
    }
  }
}
