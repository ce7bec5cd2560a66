/// Names one connection for ever: a descriptor that is used again has another turn.
struct ConnectionToken: Hashable, Sendable {
  let descriptor: Int32
  let turn: UInt32

  init(descriptor: Int32, turn: UInt32) {
    self.descriptor = descriptor
    self.turn = turn
  }

  init(word: UInt64) {
    descriptor = Int32(truncatingIfNeeded: word)
    turn = UInt32(truncatingIfNeeded: word >> 32)
  }

  var word: UInt64 { UInt64(turn) << 32 | UInt64(UInt32(bitPattern: descriptor)) }
}

/// The client is gone: nothing can be sent to it any more.
struct Disconnected: Error {}

/// A request on its way from the server's loop to a task, with the way back.
struct RequestJob: Sendable {
  let request: Request
  /// Ends when the client goes away, or when a stream must end because the daemon stops.
  let abandoned: AsyncStream<Void>
  let connection: ConnectionToken
  let loop: LoopMailbox

  /// Hands a complete answer to the connection, which then reads its next request.
  func finish(status: Int, type: String, body: [ArraySlice<UInt8>], tag: String?) {
    let connection = connection
    loop.post { loop in
      loop.act(on: connection) {
        $0.complete(status: status, type: type, body: body, tag: tag)
      }
    }
  }

  /// Starts a stream of events.
  func startEvents() async throws { try await send(ResponseHead.events) }

  /// Sends one piece of a stream and waits until the socket has taken it: a slow reader slows the stream.
  ///
  /// - Throws: `Disconnected`.
  func send(_ bytes: [UInt8]) async throws {
    let connection = connection
    try await withCheckedThrowingContinuation { (sent: CheckedContinuation<Void, any Error>) in
      let isPosted = loop.post { loop in
        let isOpen = loop.act(on: connection) { $0.stream(bytes, sent) }
        if !isOpen { sent.resume(throwing: Disconnected()) }
      }
      if !isPosted { sent.resume(throwing: Disconnected()) }
    }
  }

  /// Ends a stream by closing the connection.
  func endEvents() {
    let connection = connection
    loop.post { loop in loop.act(on: connection) { $0.closeWhenSent() } }
  }
}
