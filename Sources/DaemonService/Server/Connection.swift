import CLinux
import DaemonAPI
import Glibc

/// One connection: reads requests one after the other, serves the hot ones at once and hands the others to a task.
///
/// While a request is with a task, or the client does not read what it was sent, nothing more is read. Belongs to the
/// loop's thread, which closes the descriptor once `isClosed` holds.
final class Connection {
  private enum Phase { case idle, partial, busy, ending, closed }

  /// Responses that wait for a client beyond this are not added to.
  private static let outputLimitBytes = 1 << 20

  let token: ConnectionToken
  private let context: LoopContext
  private let caller: Caller
  /// `nil` for a plain connection.
  private var session: TLSSession?
  private var phase = Phase.idle
  /// When the phase began, or when the client stopped taking what it is sent.
  private var since: UInt64
  private var unread: [UInt8] = []
  private var output = OutputQueue()
  /// Whether the socket was full when bytes were last sent.
  private var isBlocked = false
  /// Whether whole requests lie in `unread` because `output` was full.
  private var isHeldBack = false
  private var isDraining = false
  private var repliesKeepAlive = true
  private var repliesHeadOnly = false
  /// Whether the answer to the request has begun, as a stream.
  private var hasStreamed = false
  /// The room that is taken for the body of the request.
  private var reservedBytes = 0
  private var sentContinue = false
  private var abandon: AsyncStream<Void>.Continuation?
  private var streamed: CheckedContinuation<Void, any Error>?
  private var watched = Readiness.readable

  init(
    _ token: ConnectionToken, _ context: LoopContext, caller: Caller, session: TLSSession? = nil
  ) {
    self.token = token
    self.context = context
    self.caller = caller
    self.session = session
    since = context.now
  }

  var isClosed: Bool { phase == .closed }

  /// Acts on what the poller has seen.
  func handle(_ seen: Readiness) {
    if seen.contains(.hungUp) { return close() }
    if seen.contains(.writable) { advance() }
    var isUnwanted = false
    if seen.contains(.readable) {
      if takesInput { receive() } else { isUnwanted = true }
    }
    receiveDecrypted()
    watch(stopReading: isUnwanted)
  }

  /// Sends the answer of a task and goes on with the next request.
  func complete(status: Int, type: String, body: [ArraySlice<UInt8>], tag: String?) {
    guard phase == .busy else { return }
    let keepsAlive = repliesKeepAlive && !isDraining
    abandon?.finish()
    abandon = nil
    let length = body.reduce(0) { $0 + $1.count }
    let head = ResponseHead.make(
      status: status, type: type, length: length, keepsAlive: keepsAlive, tag: tag)
    output.append(head[...])
    if !repliesHeadOnly { for piece in body { output.append(piece) } }
    releaseBody()
    enter(keepsAlive ? .idle : .ending)
    advance()
    receiveDecrypted()
    watch()
  }

  /// Sends a piece of a stream, and tells `sent` when the socket has taken it.
  func stream(_ bytes: [UInt8], _ sent: CheckedContinuation<Void, any Error>) {
    guard phase == .busy, streamed == nil else { return sent.resume(throwing: Disconnected()) }
    streamed = sent
    hasStreamed = true
    output.append(bytes[...])
    advance()
    watch()
  }

  /// Reads nothing more, and closes once everything is sent.
  func closeWhenSent() {
    guard phase != .closed else { return }
    enter(.ending)
    advance()
    watch()
  }

  /// Ends after the request that has begun; a stream is ended now.
  func drain() {
    isDraining = true
    if phase == .busy { abandon?.finish() } else { closeWhenSent() }
  }

  /// Tells the client of a request that takes too long for a server that stops to ask the next one, and ends. What
  /// the request comes to is dropped.
  func giveUp() {
    guard phase == .busy else { return }
    if hasStreamed { return close() }
    abandon?.finish()
    refuse()
    releaseBody()
    advance()
    watch()
  }

  /// Closes a connection whose client took too long.
  func checkDeadline() {
    let waited = context.now > since ? context.now - since : 0
    if !output.isEmpty || phase == .ending {
      if waited > context.patience.request { close() }
    } else if phase == .partial, waited > context.patience.request {
      refuse(RequestFault(status: 408, message: "the request did not arrive in time"))
      advance()
      watch()
    } else if phase == .idle, waited > idlePatience {
      close()
    }
  }

  /// Ends the connection at once: the task that works for it is cancelled.
  func close() {
    guard phase != .closed else { return }
    phase = .closed
    abandon?.finish()
    abandon = nil
    streamed?.resume(throwing: Disconnected())
    streamed = nil
    releaseBody()
    session = nil
  }
}

extension Connection {
  private var takesInput: Bool { (phase == .idle || phase == .partial) && output.isEmpty }

  /// Who may not ask anything holds no connection for long.
  private var idlePatience: UInt64 {
    caller.role == .none ? context.patience.request : context.patience.idle
  }

  private func releaseBody() {
    context.release(reservedBytes)
    reservedBytes = 0
  }

  private func enter(_ next: Phase) {
    phase = next
    since = context.now
  }

  /// Tells the poller what is waited for now, when it does not know.
  ///
  /// A connection that is busy for a moment stays watched for reading: only input that comes meanwhile is worth a
  /// call, and then another when it is taken.
  private func watch(stopReading: Bool = false) {
    guard phase != .closed else { return }
    let wanted: Readiness
    if !output.isEmpty {
      wanted = .writable
    } else if takesInput {
      wanted = .readable
    } else {
      wanted = stopReading ? [] : watched.intersection(.readable)
    }
    guard wanted != watched else { return }
    watched = wanted
    let result = granary_poller_change(
      context.poller, token.descriptor, token.word, wanted.rawValue)
    if result != 0 { close() }
  }

  private func receive() {
    let buffer = context.received
    let count =
      session?.receive(buffer) ?? recv(token.descriptor, buffer.baseAddress, buffer.count, 0)
    guard count > 0 else {
      // Nothing more comes: the client may have reset the connection, which is its good right.
      if count == 0 || (errno != EAGAIN && errno != EINTR) { close() }
      return
    }
    let fresh = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    if unread.isEmpty {
      let used = serve(fresh)
      if used < count { unread.append(contentsOf: fresh[used...]) }
      send()
    } else {
      unread.append(contentsOf: fresh)
      serveUnread()
      send()
    }
    if isHeldBack { advance() }
  }

  /// Receives what TLS has decrypted already: the poller knows nothing of it.
  private func receiveDecrypted() {
    while let session, takesInput, session.hasInput { receive() }
  }

  /// Sends what is there, and serves what had to wait for that.
  private func advance() {
    send()
    while output.isEmpty, phase == .idle || phase == .partial, !unread.isEmpty {
      serveUnread()
      send()
      if !isHeldBack { return }
    }
  }

  private func serveUnread() {
    let bytes = unread
    unread = []
    let used = bytes.withUnsafeBytes { serve($0) }
    if phase == .ending || phase == .closed { return }
    unread = used == 0 ? bytes : Array(bytes[used...])
  }

  private func send() {
    guard !output.isEmpty, phase != .closed else { return finishSending() }
    guard output.send(to: token.descriptor, session) else { return close() }
    if output.isEmpty { return finishSending() }
    if !isBlocked { since = context.now }
    isBlocked = true
  }

  private func finishSending() {
    if isBlocked {
      isBlocked = false
      since = context.now
    }
    streamed?.resume()
    streamed = nil
    if phase == .ending { close() }
  }
}

extension Connection {
  /// Serves every whole request in `bytes`, as long as the client takes the answers.
  ///
  /// - Returns: how many bytes are done with.
  private func serve(_ bytes: UnsafeRawBufferPointer) -> Int {
    var used = 0
    isHeldBack = false
    while used < bytes.count, phase == .idle || phase == .partial {
      guard output.bytes < Self.outputLimitBytes else {
        isHeldBack = true
        return used
      }
      let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
      do throws(RequestFault) {
        let head = try RequestParser.parse(rest, limits: context.limits)
        if let head { try admit(head, rest) }
        guard let head, rest.count >= head.length + head.contentLength else {
          if let head { inviteBody(head) }
          if phase == .idle { enter(.partial) }
          return used
        }
        used += head.length + head.contentLength
        serve(head, rest)
      } catch {
        refuse(error)
        return bytes.count
      }
    }
    return used
  }

  /// Refuses who may not ask, and what there is no room for, before the body has come.
  private func admit(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) throws(RequestFault) {
    let authorization = UnsafeRawBufferPointer(rebasing: bytes[head.authorization])
    if let fault = context.access.fault(of: caller, authorization: authorization) { throw fault }
    guard reservedBytes == 0, head.contentLength > 0 else { return }
    guard context.reserve(head.contentLength) else {
      throw RequestFault(status: 503, message: "too many large requests at once; try again")
    }
    reservedBytes = head.contentLength
  }

  private func serve(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) {
    sentContinue = false
    let method = UnsafeRawBufferPointer(rebasing: bytes[head.method])
    let target = UnsafeRawBufferPointer(rebasing: bytes[head.target])
    let body = UnsafeRawBufferPointer(
      rebasing: bytes[head.length..<(head.length + head.contentLength)])
    if head.keepsAlive, !isDraining,
      let response = context.hot?.response(
        method: method, target: target, body: body, receivedAt: context.now)
    {
      output.append(response[...])
      releaseBody()
      return enter(.idle)
    }
    handOver(
      Request(
        method: String(decoding: method, as: UTF8.self),
        target: String(decoding: target, as: UTF8.self), body: Array(body),
        caller: caller, condition: Self.condition(head, bytes), receivedAt: context.now),
      keepsAlive: head.keepsAlive)
  }

  private static func condition(_ head: RequestHead, _ bytes: UnsafeRawBufferPointer) -> Condition {
    func text(_ range: Range<Int>) -> String? {
      range.isEmpty ? nil : String(decoding: bytes[range], as: UTF8.self)
    }
    return Condition(match: text(head.match), noneMatch: text(head.noneMatch))
  }

  private func handOver(_ request: Request, keepsAlive: Bool) {
    repliesKeepAlive = keepsAlive
    repliesHeadOnly = request.method == "HEAD"
    hasStreamed = false
    enter(.busy)
    let (abandoned, continuation) = AsyncStream<Void>.makeStream()
    abandon = continuation
    let job = RequestJob(
      request: request, abandoned: abandoned, connection: token, loop: context.mailbox)
    if case .terminated = context.jobs.yield(job) { refuse() }
  }

  private func refuse() {
    let answer = Response.failure(ServiceError(.shuttingDown, "the daemon is stopping"))
    guard case .complete(let status, let type, let body, _) = answer else { return }
    abandon = nil
    queue(status: status, type: type, body: body)
  }

  private func inviteBody(_ head: RequestHead) {
    guard head.expectsContinue, !sentContinue else { return }
    sentContinue = true
    output.append(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)[...])
  }

  /// Says what is wrong and closes: after malformed bytes nobody knows where the next request begins.
  private func refuse(_ fault: RequestFault) {
    let body = (try? WireJSON.encode(ServiceError(fault.code, fault.message))) ?? []
    queue(status: fault.status, type: "application/json", body: [body[...]])
  }

  /// Makes `body` the last thing that this connection says.
  private func queue(status: Int, type: String, body: [ArraySlice<UInt8>]) {
    let length = body.reduce(0) { $0 + $1.count }
    let head = ResponseHead.make(status: status, type: type, length: length, keepsAlive: false)
    output.append(head[...])
    for piece in body { output.append(piece) }
    enter(.ending)
  }
}
