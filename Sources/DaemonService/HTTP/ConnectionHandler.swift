import DaemonAPI
import NIOCore

/// One connection: reads requests one after the other, serves the hot ones at once and hands the others to a task.
///
/// While a request is with a task, or the client does not read what it was sent, nothing more is read. Isolated to
/// the channel's event loop.
final class ConnectionHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// How long a client may take.
  struct Patience: Sendable {
    /// For a whole request, from its first byte, and for reading what it was sent.
    var request: TimeAmount = .seconds(30)
    /// Between two requests.
    var idle: TimeAmount = .seconds(600)
  }

  /// Told to every connection when the daemon stops.
  struct Drain: Sendable {}

  private enum Phase { case idle, partial, busy, closing }

  private let hot: HotRoutes
  private let limits: RequestLimits
  private let patience: Patience
  private let jobs: AsyncStream<RequestJob>.Continuation
  private let counters: ServerCounters

  private var context: ChannelHandlerContext?
  private var unread = ByteBuffer()
  private var phase = Phase.idle
  private var phaseStart = NIODeadline.now()
  private var isDraining = false
  private var readIsHeld = false
  private var repliesKeepAlive = true
  private var sentContinue = false
  private var abandon: AsyncStream<Void>.Continuation?
  private var deadline: Scheduled<Void>?

  init(
    hot: HotRoutes, limits: RequestLimits, patience: Patience,
    jobs: AsyncStream<RequestJob>.Continuation, counters: ServerCounters
  ) {
    self.hot = hot
    self.limits = limits
    self.patience = patience
    self.jobs = jobs
    self.counters = counters
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    watchDeadline(context)
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    phase = .closing
    abandon?.finish()
    deadline?.cancel()
    self.context = nil
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset by the client is its good right; nothing can be said to it any more.
    context.close(promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    if unread.readableBytes == 0 { unread = bytes } else { unread.writeBuffer(&bytes) }
    serveUnread(context)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.flush()
    context.fireChannelReadComplete()
  }

  func read(context: ChannelHandlerContext) {
    if phase == .busy || phase == .closing || !context.channel.isWritable {
      readIsHeld = true
    } else {
      context.read()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    phaseStart = .now()
    if context.channel.isWritable { resume(context) }
    context.fireChannelWritabilityChanged()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is Drain else { return context.fireUserInboundEventTriggered(event) }
    isDraining = true
    if phase == .busy { abandonStream() } else { close(context) }
  }

  /// Sends the answer of a task and goes on with the next request.
  func complete(status: Int, type: String, body: [ByteBuffer]) {
    guard let context, phase == .busy else { return }
    let keepsAlive = repliesKeepAlive && !isDraining
    abandon?.finish()
    abandon = nil
    let length = body.reduce(0) { $0 + $1.readableBytes }
    let head = ResponseHead.make(
      status: status, type: type, length: length, keepsAlive: keepsAlive)
    context.write(wrapOutboundOut(head), promise: nil)
    for piece in body { context.write(wrapOutboundOut(piece), promise: nil) }
    context.flush()
    guard keepsAlive else { return close(context) }
    enter(.idle)
    resume(context)
  }
}

extension ConnectionHandler {
  private func enter(_ next: Phase) {
    phase = next
    phaseStart = .now()
  }

  private func resume(_ context: ChannelHandlerContext) {
    serveUnread(context)
    context.flush()
    guard readIsHeld, phase == .idle || phase == .partial, context.channel.isWritable else {
      return
    }
    readIsHeld = false
    context.read()
  }

  /// Serves every complete request that was read, as long as the client takes the answers.
  private func serveUnread(_ context: ChannelHandlerContext) {
    while unread.readableBytes > 0, phase == .idle || phase == .partial,
      context.channel.isWritable
    {
      do throws(RequestFault) {
        let head = try unread.withUnsafeReadableBytes { (bytes) throws(RequestFault) in
          try RequestParser.parse(bytes, limits: limits)
        }
        guard let head, unread.readableBytes >= head.length + head.contentLength else {
          if let head { inviteBody(head, context) }
          if phase == .idle { enter(.partial) }
          return
        }
        serve(head, context)
      } catch {
        refuse(error, context)
      }
    }
    if unread.readableBytes == 0 { unread.clear(minimumCapacity: 0) }
  }

  private func serve(_ head: RequestHead, _ context: ChannelHandlerContext) {
    let receivedAt = NIODeadline.now()
    sentContinue = false
    let start = unread.readerIndex
    let view = unread.readableBytesView
    let target = view[(start + head.target.lowerBound)..<(start + head.target.upperBound)]
    let method = view[(start + head.method.lowerBound)..<(start + head.method.upperBound)]
    let bodyStart = start + head.length
    let body = view[bodyStart..<(bodyStart + head.contentLength)]
    unread.moveReaderIndex(forwardBy: head.length + head.contentLength)
    if head.keepsAlive, !isDraining,
      let response = hot.response(
        method: method, target: target, body: body, receivedAt: receivedAt)
    {
      context.write(wrapOutboundOut(response), promise: nil)
      return enter(.idle)
    }
    handOver(
      Request(
        method: String(decoding: method, as: UTF8.self),
        target: String(decoding: target, as: UTF8.self), body: ByteBuffer(body)),
      keepsAlive: head.keepsAlive, context)
  }

  private func handOver(_ request: Request, keepsAlive: Bool, _ context: ChannelHandlerContext) {
    repliesKeepAlive = keepsAlive
    enter(.busy)
    let (abandoned, continuation) = AsyncStream<Void>.makeStream()
    abandon = continuation
    let job = RequestJob(
      request: request, abandoned: abandoned, channel: context.channel,
      connection: NIOLoopBound(self, eventLoop: context.eventLoop))
    if case .terminated = jobs.yield(job) {
      let response = Response.failure(ServiceError(.shuttingDown, "the daemon is stopping"))
      guard case .complete(let status, let type, let body) = response else { return }
      complete(status: status, type: type, body: body)
    }
  }

  private func inviteBody(_ head: RequestHead, _ context: ChannelHandlerContext) {
    guard head.expectsContinue, !sentContinue else { return }
    sentContinue = true
    let line = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
    context.writeAndFlush(wrapOutboundOut(line), promise: nil)
  }

  /// Says what is wrong and closes: after malformed bytes nobody knows where the next request begins.
  private func refuse(_ fault: RequestFault, _ context: ChannelHandlerContext) {
    counters.refused()
    let code: ServiceError.Code =
      fault.status == 413 || fault.status == 431
      ? .tooLarge : fault.status == 408 ? .deadlineExceeded : .badRequest
    let body = (try? WireJSON.encode(ServiceError(code, fault.message))) ?? []
    let head = ResponseHead.make(
      status: fault.status, type: "application/json", length: body.count, keepsAlive: false)
    context.write(wrapOutboundOut(head), promise: nil)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: body)), promise: nil)
    close(context)
  }

  private func close(_ context: ChannelHandlerContext) {
    phase = .closing
    context.flush()
    context.close(promise: nil)
  }

  private func abandonStream() { abandon?.finish() }

  /// One timer a connection, which moves to the next deadline when it fires early.
  private func watchDeadline(_ context: ChannelHandlerContext) {
    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
    // Never further than the shortest patience: a request may begin while the timer waits for an idle client.
    let next = min(currentDeadline(context), .now() + patience.request)
    deadline = context.eventLoop.scheduleTask(deadline: next) {
      bound.value.deadlinePassed()
    }
  }

  private func currentDeadline(_ context: ChannelHandlerContext) -> NIODeadline {
    if !context.channel.isWritable { return phaseStart + patience.request }
    return switch phase {
    case .idle: phaseStart + patience.idle
    case .partial: phaseStart + patience.request
    // The task has its own deadline; look again later.
    case .busy, .closing: .now() + patience.request
    }
  }

  private func deadlinePassed() {
    guard let context else { return }
    if currentDeadline(context) > .now() { return watchDeadline(context) }
    if phase == .partial, context.channel.isWritable {
      refuse(RequestFault(status: 408, message: "the request did not arrive in time"), context)
    } else {
      close(context)
    }
  }
}
