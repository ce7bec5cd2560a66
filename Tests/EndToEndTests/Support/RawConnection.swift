import DaemonAPI
import Glibc

/// A connection that sends any bytes, for what no well-behaved client does.
final class RawConnection {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    let descriptor = descriptor
    guard try UnixAddress.with(path, { connect(descriptor, $0, $1) }) == 0 else {
      close(descriptor)
      throw ProgramError(description: "cannot connect: \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(descriptor) }

  func send(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Says that no more bytes will come.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Sends one request for the text form of a spec.
  func ask(for spec: String, policy: String = "baseline") {
    send(
      """
      POST /v1/kernels?policy=\(policy) HTTP/1.1\r\nHost: granary\r\n\
      Content-Length: \(spec.utf8.count)\r\n\r\n\(spec)
      """.utf8)
  }

  /// Everything up to the end of the first answer's body, or until the connection was closed.
  func answer(within seconds: Double) -> String {
    let deadline = TestDeadline(seconds: seconds)
    var received = ""
    while !Self.isWhole(received) {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, deadline.milliseconds) > 0 else { return received }
      var piece = [UInt8](repeating: 0, count: 65536)
      let count = recv(descriptor, &piece, piece.count, 0)
      guard count > 0 else { return received }
      received += String(decoding: piece[..<count], as: UTF8.self)
    }
    return received
  }

  /// The body of an answer as JSON.
  func json(within seconds: Double) throws -> JSON {
    let text = answer(within: seconds)
    guard let (_, body) = Self.split(text) else {
      throw ProgramError(description: "no whole answer: \(text)")
    }
    return try JSON(parsing: Array(body.utf8))
  }

  private static func split(_ text: String) -> (head: Substring, body: Substring)? {
    let bytes = text.utf8
    var previous = bytes.startIndex
    while let end = bytes[previous...].firstIndex(of: 10) {
      let line = bytes[previous..<end]
      previous = bytes.index(after: end)
      if line.elementsEqual([13]) { return (text[..<previous], text[previous...]) }
    }
    return nil
  }

  private static func isWhole(_ text: String) -> Bool {
    guard let (head, body) = split(text) else { return false }
    let lengths = head.utf8.split(separator: 10).compactMap { line -> Int? in
      let words = String(Substring(line)).split { " :\r".contains($0) }
      return words.first?.lowercased() == "content-length" ? words.last.flatMap { Int($0) } : nil
    }
    return lengths.first.map { body.utf8.count >= $0 } ?? false
  }
}
