import DaemonAPI
import Glibc
import TestSupport

/// A socket that the test makes in place of systemd. Closed when it is released.
final class UnixSocket {
  let descriptor: Int32

  private init(_ kind: __socket_type, boundTo path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    self.descriptor = descriptor
    guard try UnixAddress.with(path, { bind(descriptor, $0, $1) }) == 0 else {
      throw ProgramError(description: "cannot bind \(path): \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  /// A socket on which a service is to accept connections.
  static func listening(at path: String) throws -> UnixSocket {
    let made = try UnixSocket(SOCK_STREAM, boundTo: path)
    guard listen(made.descriptor, 16) == 0 else {
      throw ProgramError(description: "cannot listen: \(String(cString: strerror(errno)))")
    }
    return made
  }

  /// A socket that is told how a service is.
  static func receiving(at path: String) throws -> UnixSocket {
    let made = try UnixSocket(SOCK_DGRAM, boundTo: path)
    // Against a hang, not a measure.
    var limit = timeval(tv_sec: Int(hangLimit), tv_usec: 0)
    setsockopt(
      made.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    return made
  }

  /// The next message.
  func message() -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &bytes, bytes.count, 0)
    return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
  }
}
