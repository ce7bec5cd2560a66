import DaemonAPI

/// The head of a request, as offsets into the bytes that it was read from.
struct RequestHead: Equatable {
  var method: Range<Int>
  var target: Range<Int>
  /// The size of the head with the empty line.
  var length: Int
  var contentLength = 0
  var keepsAlive = true
  var expectsContinue = false
  /// The value of `Authorization`; empty without one.
  var authorization = 0..<0
  /// The values of `If-Match` and `If-None-Match`; empty without one.
  var match = 0..<0
  var noneMatch = 0..<0
}

/// What cannot be served, with the HTTP status that says so. The connection is closed after it.
struct RequestFault: Error, Equatable {
  var status: Int
  var message: String

  var code: ServiceError.Code {
    switch status {
    case 401: .unauthorized
    case 403: .forbidden
    case 408: .deadlineExceeded
    case 413, 431: .tooLarge
    case 503: .environment
    default: .badRequest
    }
  }
}

/// The sizes beyond which a request is refused.
package struct RequestLimits: Sendable {
  package var headBytes = 16 * 1024
  package var bodyBytes = 64 * 1024 * 1024
  /// Of all clients together.
  package var allBodiesBytes = 1 << 30

  package init() {}
}

/// Reads the head of an HTTP/1.1 request.
///
/// Strict on purpose: lines end in CRLF, a body has a `Content-Length`, header lines are not folded. That is what
/// HTTP clients send, and what is refused cannot smuggle anything.
///
/// Source: RFC 9112.
enum RequestParser {
  /// - Returns: `nil` while the head is incomplete.
  static func parse(_ bytes: UnsafeRawBufferPointer, limits: RequestLimits) throws(RequestFault)
    -> RequestHead?
  {
    try refuseForeign(bytes)
    guard let lineEnd = try endOfLine(bytes, from: 0) else {
      return try incomplete(bytes.count, limits)
    }
    var head = try requestLine(bytes, end: lineEnd)
    var position = lineEnd + 2
    var sawLength = false
    while let end = try endOfLine(bytes, from: position) {
      if end == position {
        head.length = end + 2
        guard head.length <= limits.headBytes else { return try incomplete(head.length, limits) }
        return head
      }
      try header(bytes, position..<end, &head, &sawLength, limits)
      position = end + 2
    }
    return try incomplete(bytes.count, limits)
  }

  private static func incomplete(_ count: Int, _ limits: RequestLimits) throws(RequestFault)
    -> RequestHead?
  {
    guard count <= limits.headBytes else {
      throw RequestFault(
        status: 431, message: "the request's head is over \(limits.headBytes) bytes")
    }
    return nil
  }

  /// A method is capital letters: anything else on the socket is not HTTP and is told at once.
  private static func refuseForeign(_ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
    for byte in bytes.prefix(8) {
      if byte == UInt8(ascii: " ") { return }
      guard byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") else {
        throw RequestFault(status: 400, message: "these bytes are not an HTTP request")
      }
    }
    if bytes.count >= 8 {
      throw RequestFault(status: 400, message: "these bytes are not an HTTP request")
    }
  }

  /// The offset of the next CRLF; `nil` when it has not come yet.
  ///
  /// Other control characters than tabs are refused: a lone CR or LF ends a line for some readers.
  private static func endOfLine(_ bytes: UnsafeRawBufferPointer, from start: Int)
    throws(RequestFault) -> Int?
  {
    var position = start
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x20 ? byte != 0x09 : byte == 0x7F {
        guard byte == 13 else { break }
        guard position + 1 < bytes.count else { return nil }
        guard bytes[position + 1] == 10 else { break }
        return position
      }
      position += 1
    }
    guard position == bytes.count else {
      throw RequestFault(status: 400, message: "a control character in the request's head")
    }
    return nil
  }

  private static func requestLine(_ bytes: UnsafeRawBufferPointer, end: Int)
    throws(RequestFault) -> RequestHead
  {
    let space = UInt8(ascii: " ")
    guard let first = bytes[..<end].firstIndex(of: space), first > 0,
      let second = bytes[(first + 1)..<end].firstIndex(of: space),
      second > first + 1, bytes[first + 1] == UInt8(ascii: "/"),
      bytes[(first + 1)..<second].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      throw RequestFault(status: 400, message: "the request line is malformed")
    }
    let version = bytes[(second + 1)..<end]
    guard version.elementsEqual("HTTP/1.1".utf8) || version.elementsEqual("HTTP/1.0".utf8) else {
      throw RequestFault(status: 505, message: "the protocol is HTTP/1.1")
    }
    return RequestHead(
      method: 0..<first, target: (first + 1)..<second, length: 0,
      keepsAlive: version.last == UInt8(ascii: "1"))
  }

  private static func header(
    _ bytes: UnsafeRawBufferPointer, _ line: Range<Int>, _ head: inout RequestHead,
    _ sawLength: inout Bool, _ limits: RequestLimits
  ) throws(RequestFault) {
    guard let colon = bytes[line].firstIndex(of: UInt8(ascii: ":")), colon > line.lowerBound,
      bytes[line.lowerBound..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else { throw RequestFault(status: 400, message: "a header line is malformed") }
    let name = bytes[line.lowerBound..<colon]
    switch name.count {
    case 14 where same(name, "content-length"):
      let length = try contentLength(value(bytes, colon + 1..<line.upperBound), limits)
      guard !sawLength || length == head.contentLength else {
        throw RequestFault(status: 400, message: "two values of Content-Length")
      }
      sawLength = true
      head.contentLength = length
    case 10 where same(name, "connection"):
      let text = value(bytes, colon + 1..<line.upperBound)
      if same(text, "close") { head.keepsAlive = false }
      if same(text, "keep-alive") { head.keepsAlive = true }
    case 13 where same(name, "authorization"):
      guard head.authorization.isEmpty else {
        throw RequestFault(status: 400, message: "two values of Authorization")
      }
      head.authorization = value(bytes, colon + 1..<line.upperBound).indices
    case 8 where same(name, "if-match"):
      try condition(value(bytes, colon + 1..<line.upperBound), &head.match)
    case 13 where same(name, "if-none-match"):
      try condition(value(bytes, colon + 1..<line.upperBound), &head.noneMatch)
    case 6 where same(name, "expect"):
      head.expectsContinue = true
    case 17 where same(name, "transfer-encoding"):
      throw RequestFault(status: 411, message: "a body needs a Content-Length")
    default: break
    }
  }

  private static func condition(_ text: Slice<UnsafeRawBufferPointer>, _ place: inout Range<Int>)
    throws(RequestFault)
  {
    guard place.isEmpty, !text.isEmpty else {
      throw RequestFault(status: 400, message: "two values of a condition, or none")
    }
    place = text.indices
  }

  private static func contentLength(_ text: Slice<UnsafeRawBufferPointer>, _ limits: RequestLimits)
    throws(RequestFault) -> Int
  {
    guard !text.isEmpty, text.count <= 18,
      text.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") })
    else { throw RequestFault(status: 400, message: "Content-Length is not a number") }
    let length = text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
    guard length <= limits.bodyBytes else {
      throw RequestFault(status: 413, message: "the body is over \(limits.bodyBytes) bytes")
    }
    return length
  }

  private static func value(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>)
    -> Slice<UnsafeRawBufferPointer>
  {
    var lower = range.lowerBound
    var upper = range.upperBound
    while lower < upper, bytes[lower] == 0x20 || bytes[lower] == 0x09 { lower += 1 }
    while upper > lower, bytes[upper - 1] == 0x20 || bytes[upper - 1] == 0x09 { upper -= 1 }
    return bytes[lower..<upper]
  }

  private static func same(_ bytes: Slice<UnsafeRawBufferPointer>, _ lowercase: StaticString)
    -> Bool
  {
    guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
    var expected = lowercase.utf8Start
    for byte in bytes {
      let lower = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
      if lower != expected.pointee { return false }
      expected += 1
    }
    return true
  }
}
