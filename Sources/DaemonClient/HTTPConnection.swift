import DaemonAPI

/// A connection that speaks the part of HTTP/1.1 that the daemon does: one request at a time.
struct HTTPConnection {
  struct Answer {
    var status: Int
    var body: [UInt8]
  }

  private let socket: DeadlineSocket
  private var received: [UInt8] = []
  private(set) var isReusable = true

  init(path: String, deadline: Deadline) throws(ServiceError) {
    socket = try DeadlineSocket(path: path, deadline: deadline)
  }

  /// Sends a request and reads its whole answer.
  mutating func exchange(
    _ method: String, _ target: String, _ body: [UInt8], deadline: Deadline
  ) throws(ServiceError) -> Answer {
    isReusable = false
    try socket.send(Self.request(method, target, body), deadline: deadline)
    let head = try readHead(deadline)
    guard let length = head.contentLength else {
      throw ServiceError(.internalError, "the daemon's answer has no Content-Length")
    }
    while received.count < length {
      guard try socket.receive(into: &received, deadline: deadline) else { throw Self.cutShort }
    }
    let answer = Answer(status: head.status, body: Array(received[..<length]))
    received.removeFirst(length)
    isReusable = !head.closes
    return answer
  }

  /// Sends a request whose answer is a stream of server-sent events, and calls `body` with the name and the
  /// data of each.
  mutating func events(
    _ method: String, _ target: String, _ body: [UInt8], deadline: Deadline,
    each: (String, [UInt8]) throws(ServiceError) -> Void
  ) throws(ServiceError) -> Answer? {
    isReusable = false
    try socket.send(Self.request(method, target, body), deadline: deadline)
    let head = try readHead(deadline)
    if let length = head.contentLength {
      while received.count < length {
        guard try socket.receive(into: &received, deadline: deadline) else { throw Self.cutShort }
      }
      return Answer(status: head.status, body: Array(received[..<length]))
    }
    repeat {
      while let end = Self.find([10, 10], in: received) {
        let lines = received[..<end].split(separator: 10)
        received.removeFirst(end + 2)
        let name = lines.first { $0.starts(with: "event: ".utf8) }?.dropFirst(7) ?? []
        let data = lines.first { $0.starts(with: "data: ".utf8) }?.dropFirst(6) ?? []
        try each(String(decoding: name, as: UTF8.self), Array(data))
      }
    } while try socket.receive(into: &received, deadline: deadline)
    return nil
  }

  private struct Head {
    var status: Int
    var contentLength: Int?
    var closes: Bool
  }

  private mutating func readHead(_ deadline: Deadline) throws(ServiceError) -> Head {
    var end = Self.find([13, 10, 13, 10], in: received)
    while end == nil {
      guard try socket.receive(into: &received, deadline: deadline), received.count < 1 << 24
      else { throw Self.cutShort }
      end = Self.find([13, 10, 13, 10], in: received)
    }
    let length = end ?? 0
    let text = String(decoding: received[..<length], as: UTF8.self)
    received.removeFirst(length + 4)
    let lines = text.split(separator: "\r\n")
    let parts = lines.first?.split(separator: " ") ?? []
    guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]) else {
      throw ServiceError(.noDaemon, "what answers on the socket is no Granary daemon")
    }
    var head = Head(status: status, contentLength: nil, closes: false)
    for line in lines.dropFirst() {
      let sides = line.lowercased().split(separator: ":", maxSplits: 1)
      let value = sides.count > 1 ? sides[1].drop { $0 == " " } : ""
      if sides[0] == "content-length" { head.contentLength = Int(value) }
      if sides[0] == "connection" { head.closes = value == "close" }
    }
    return head
  }

  private static func request(_ method: String, _ target: String, _ body: [UInt8]) -> [UInt8] {
    Array(
      "\(method) \(target) HTTP/1.1\r\nhost: granary\r\ncontent-length: \(body.count)\r\n\r\n".utf8)
      + body
  }

  private static func find(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
    guard bytes.count >= mark.count else { return nil }
    return (0...(bytes.count - mark.count)).first { start in
      bytes[start] == mark[0] && bytes[start..<start + mark.count].elementsEqual(mark)
    }
  }

  private static var cutShort: ServiceError {
    ServiceError(.noDaemon, "the daemon closed the connection in the middle of its answer")
  }
}
