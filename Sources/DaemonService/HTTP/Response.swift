import CLinux
package import DaemonAPI

/// A request that is served by a task, not on the server's loop.
package struct Request: Sendable {
  package var method: String
  package var path: String
  package var query: [String: String]
  package var target: String
  package var body: [UInt8]
  package var caller: Caller
  package var condition = Condition()
  /// When the request was complete, in nanoseconds of the monotonic clock.
  package var receivedAt: UInt64

  package init(
    method: String, target: String, body: [UInt8], caller: Caller,
    condition: Condition = Condition(), receivedAt: UInt64 = granary_now()
  ) {
    self.method = method
    self.condition = condition
    self.caller = caller
    self.target = target
    self.body = body
    self.receivedAt = receivedAt
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = String(parts.first ?? "")
    query = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      query[String(sides[0])] = sides.count > 1 ? String(sides[1]) : ""
    }
  }
}

/// What must hold of a value for a request to change it: `If-Match` and `If-None-Match` as they were sent.
///
/// Source: RFC 9110, 13.1.
package struct Condition: Sendable, Hashable {
  package var match: String?
  package var noneMatch: String?

  package init(match: String? = nil, noneMatch: String? = nil) {
    self.match = match
    self.noneMatch = noneMatch
  }

  /// - Parameter tag: of the value that is there; `nil` when there is none.
  func holds(of tag: String?) -> Bool {
    match.map { Self.names(tag, in: $0) } ?? true
      && !(noneMatch.map { Self.names(tag, in: $0) } ?? false)
  }

  private static func names(_ tag: String?, in list: String) -> Bool {
    guard let tag else { return false }
    return list == "*"
      || list.split(separator: ",").contains { $0.drop { $0 == " " }.prefix { $0 != " " } == tag }
  }
}

/// What a request is answered with.
package enum Response: Sendable {
  /// A complete answer; the pieces of the body are written by reference. The tag is the value of `ETag`.
  case complete(status: Int, type: String, body: [ArraySlice<UInt8>], tag: String? = nil)
  /// Server-sent events, until the stream ends; then the connection is closed.
  case events(AsyncThrowingStream<TuneEvent, any Error>)

  package static func json(_ value: some Encodable, status: Int = 200) -> Response {
    do {
      return .complete(
        status: status, type: "application/json",
        body: [try WireJSON.encode(value)[...]])
    } catch {
      return .failure(ServiceError(.internalError, "cannot encode the answer: \(error)"))
    }
  }

  package static func failure(_ error: ServiceError) -> Response {
    // An error encodes always: three strings.
    let body = (try? WireJSON.encode(error)) ?? Array("{}".utf8)
    return .complete(
      status: error.code.httpStatus, type: "application/json", body: [body[...]])
  }
}

/// Writes heads of responses.
enum ResponseHead {
  /// The head of a complete response.
  static func make(
    status: Int, type: String, length: Int, keepsAlive: Bool, tag: String? = nil
  ) -> [UInt8] {
    Array(
      """
      HTTP/1.1 \(status) \(reason(status))\r
      content-type: \(type)\r
      content-length: \(length)\r
      \(tag.map { "etag: \($0)\r\n" } ?? "")\
      \(status == 401 ? "www-authenticate: Bearer, Basic realm=\"granary\"\r\n" : "")\
      \(keepsAlive ? "" : "connection: close\r\n")\r

      """.utf8)
  }

  /// The head of a stream of events.
  static var events: [UInt8] {
    Array(
      """
      HTTP/1.1 200 OK\r
      content-type: text/event-stream\r
      cache-control: no-store\r
      connection: close\r
      \r

      """.utf8)
  }

  private static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 422: "Unprocessable Content"
    case 431: "Request Header Fields Too Large"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: "Error"
    }
  }
}
