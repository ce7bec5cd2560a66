import NIOCore

/// A request on its way from an event loop to a task, with the way back.
struct RequestJob: Sendable {
  let request: Request
  /// Ends when the client goes away, or when a stream must end because the daemon stops.
  let abandoned: AsyncStream<Void>
  let channel: any Channel
  let connection: NIOLoopBound<ConnectionHandler>

  /// Hands a complete answer to the connection, which then reads its next request.
  func finish(status: Int, type: String, body: [ByteBuffer]) {
    channel.eventLoop.execute {
      connection.value.complete(status: status, type: type, body: body)
    }
  }

  /// Starts a stream of events.
  func startEvents() async throws { try await send(ResponseHead.events) }

  /// Sends one piece of a stream and waits until the socket has taken it: a slow reader slows the stream.
  func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

  /// Ends a stream by closing the connection.
  func endEvents() { channel.close(promise: nil) }
}
