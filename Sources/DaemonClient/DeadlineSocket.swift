import DaemonAPI
import Glibc

/// A point in time after which an operation gives up.
public struct Deadline: Sendable {
  private let nanoseconds: UInt64

  /// - Parameter seconds: from now.
  public init(seconds: Double) {
    nanoseconds = Self.now + UInt64(max(0, min(seconds, 1e9)) * 1e9)
  }

  /// What is left, in milliseconds, rounded up; 0 when it has passed.
  var milliseconds: Int32 {
    let now = Self.now
    return now >= nanoseconds ? 0 : Int32(min((nanoseconds - now) / 1_000_000 + 1, 1 << 30))
  }

  var hasPassed: Bool { Self.now >= nanoseconds }

  private static var now: UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}

/// A connected Unix socket whose every operation has a deadline. Closed when it is released.
final class DeadlineSocket {
  private let descriptor: Int32

  /// - Throws: `no-daemon` when nobody listens on `path`.
  init(path: String, deadline: Deadline) throws(ServiceError) {
    let descriptor = socket(
      AF_UNIX,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else {
      throw ServiceError(.environment, "cannot make a socket: \(Self.reason)")
    }
    self.descriptor = descriptor
    while try UnixAddress.with(path, { Glibc.connect(descriptor, $0, $1) }) != 0 {
      // EAGAIN on a Unix socket: the daemon's queue of connections is full.
      guard errno == EAGAIN || errno == EINTR, !deadline.hasPassed else {
        throw ServiceError(.noDaemon, "no daemon answers on \(path): \(Self.reason)")
      }
      poll(nil, 0, 1)
    }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8], deadline: Deadline) throws(ServiceError) {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else {
        try recover(waitingFor: Int16(POLLOUT), deadline)
      }
    }
  }

  /// Appends what has arrived to `buffer`.
  ///
  /// - Returns: `false` when the daemon has closed the connection.
  func receive(into buffer: inout [UInt8], atMost limit: Int = 256 * 1024, deadline: Deadline)
    throws(ServiceError) -> Bool
  {
    while true {
      let start = buffer.count
      var count = 0
      let piece = [UInt8](unsafeUninitializedCapacity: limit) { memory, used in
        count = recv(descriptor, memory.baseAddress, limit, 0)
        used = max(count, 0)
      }
      if count > 0 {
        if start == 0 { buffer = piece } else { buffer += piece }
        return true
      }
      if count == 0 { return false }
      try recover(waitingFor: Int16(POLLIN), deadline)
    }
  }

  private func recover(waitingFor events: Int16, _ deadline: Deadline) throws(ServiceError) {
    if errno == EINTR { return }
    guard errno == EAGAIN else {
      throw ServiceError(.noDaemon, "the connection to the daemon broke: \(Self.reason)")
    }
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    if poll(&entry, 1, deadline.milliseconds) == 0, deadline.hasPassed {
      throw ServiceError(.deadlineExceeded, "the daemon did not answer in time")
    }
  }

  private static var reason: String { String(cString: strerror(errno)) }
}
