package import DaemonAPI
import Glibc

/// An address of this machine that a server listens at: `127.0.0.1:8980`, `[::1]:8980` or `localhost:8980`.
package struct NetworkAddress: Sendable, Hashable, CustomStringConvertible {
  fileprivate let host: String
  fileprivate let port: UInt16
  private let isVersion6: Bool

  fileprivate init(host: String, port: UInt16) {
    self.host = host
    self.port = port
    isVersion6 = host.contains(":")
  }

  /// - Returns: `nil` for what is no address in numbers with a port.
  package init?(parsing text: String) {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    var host = String(text[..<colon])
    if host == "localhost" { host = "127.0.0.1" }
    isVersion6 = host.hasPrefix("[") && host.hasSuffix("]")
    if isVersion6 { host = String(host.dropFirst().dropLast()) }
    var bytes = in6_addr()
    guard inet_pton(isVersion6 ? AF_INET6 : AF_INET, host, &bytes) == 1 else { return nil }
    self.host = host
    self.port = port
  }

  package var description: String { isVersion6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool { isVersion6 ? host == "::1" : host.hasPrefix("127.") }

  fileprivate var family: Int32 { isVersion6 ? AF_INET6 : AF_INET }

  /// Calls `body` with the address as the system has it.
  fileprivate func with<Value>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Value) -> Value {
    if isVersion6 {
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      inet_pton(AF_INET6, host, &address.sin6_addr)
      return Self.with(&address, body)
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    inet_pton(AF_INET, host, &address.sin_addr)
    return Self.with(&address, body)
  }

  private static func with<Address, Value>(
    _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
  ) -> Value {
    withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        body($0, socklen_t(MemoryLayout<Address>.size))
      }
    }
  }
}

extension ListeningSocket {
  private static func port(of descriptor: Int32) -> UInt16? {
    // The port has the same place in the addresses of both versions.
    var address = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &size)
      }
    }
    return result == 0 ? UInt16(bigEndian: address.sin6_port) : nil
  }

  /// Listens at an address of the network.
  ///
  /// - Throws: `environment` when that cannot be done: the address is in use, for example.
  package static func open(_ address: NetworkAddress) throws(ServiceError) -> ListeningSocket {
    let descriptor = socket(
      address.family,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw failure("cannot make a socket") }
    // Connections that are accepted inherit what is said of small packets.
    for (level, option) in [(SOL_SOCKET, SO_REUSEADDR), (Int32(IPPROTO_TCP), TCP_NODELAY)] {
      var on: Int32 = 1
      setsockopt(descriptor, level, option, &on, socklen_t(MemoryLayout<Int32>.size))
    }
    guard address.with({ bind(descriptor, $0, $1) }) == 0, listen(descriptor, 512) == 0 else {
      let error = failure("cannot listen at \(address)")
      close(descriptor)
      throw error
    }
    // The system has chosen another port than 0.
    let bound = NetworkAddress(host: address.host, port: port(of: descriptor) ?? address.port)
    return ListeningSocket(name: bound.description, descriptor: descriptor, lock: nil)
  }
}
