import DaemonAPI
import Glibc
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Accepts connections on the socket and serves them until it is told to stop.
///
/// A graceful shutdown stops accepting, lets every request that has begun end, and closes what is idle. A listener
/// that dies for another reason ends `run` with an error.
package struct HTTPServer: Service {
  package struct Options: Sendable {
    package var limits = RequestLimits()
    package var connectionLimit = 1024
    package var requestSeconds = 30.0
    package var idleSeconds = 600.0
    package var eventLoops = 2

    package init() {}
  }

  let listener: ListeningSocket
  let router: Router
  let options: Options
  let logger: Logger
  /// Called once connections are accepted.
  let onReady: @Sendable () -> Void

  package init(
    listener: ListeningSocket, router: Router, options: Options, logger: Logger,
    onReady: @escaping @Sendable () -> Void = {}
  ) {
    self.listener = listener
    self.router = router
    self.options = options
    self.logger = logger
    self.onReady = onReady
  }

  package func run() async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: options.eventLoops)
    let (jobs, continuation) = AsyncStream<RequestJob>.makeStream()
    let channel = try await bootstrap(group, continuation)
      .withBoundSocket(listener.descriptor).get()
    let stopping = ServerStop(channel: channel, counters: router.counters, jobs: continuation)
    channel.closeFuture.whenComplete { _ in stopping.listenerClosed() }
    logger.info("listening", metadata: ["socket": "\(listener.path)"])
    onReady()
    await withGracefulShutdownHandler {
      await serve(jobs)
    } onGracefulShutdown: {
      stopping.begin()
    }
    listener.remove()
    try await channel.close().recover { _ in }.get()
    try await group.shutdownGracefully()
    guard stopping.wasAsked else {
      throw ServiceError(.environment, "the listening socket \(listener.path) has died")
    }
  }

  private func serve(_ jobs: AsyncStream<RequestJob>) async {
    await withDiscardingTaskGroup { tasks in
      for await job in jobs {
        tasks.addTask { await perform(job) }
      }
    }
  }

  private func bootstrap(
    _ group: MultiThreadedEventLoopGroup, _ jobs: AsyncStream<RequestJob>.Continuation
  ) -> ServerBootstrap {
    let counters = router.counters
    let patience = ConnectionHandler.Patience(
      request: .nanoseconds(Int64(options.requestSeconds * 1e9)),
      idle: .nanoseconds(Int64(options.idleSeconds * 1e9)))
    let (options, hotSet) = (options, router.hotSet)
    return ServerBootstrap(group: group)
      .childChannelOption(.maxMessagesPerRead, value: 4)
      .childChannelOption(
        .writeBufferWaterMark, value: .init(low: 256 * 1024, high: 1024 * 1024)
      )
      .childChannelInitializer { channel in
        PeerCheck.isOwner(channel).flatMapThrowing { isOwner in
          guard isOwner, counters.open(channel, limit: options.connectionLimit) else {
            throw ServiceError(.environment, "the connection is refused")
          }
          channel.closeFuture.whenComplete { _ in counters.close(channel) }
          try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(
              hot: HotRoutes(hotSet: hotSet), limits: options.limits, patience: patience,
              jobs: jobs, counters: counters))
        }
      }
  }

  /// Serves one request in its own task, which is cancelled when the client goes away.
  private func perform(_ job: RequestJob) async {
    await withTaskGroup(of: Void.self) { race in
      race.addTask { await answer(job) }
      race.addTask { for await _ in job.abandoned {} }
      await race.next()
      race.cancelAll()
    }
  }

  private func answer(_ job: RequestJob) async {
    switch await router.respond(to: job.request) {
    case .complete(let status, let type, let body):
      if status >= 500 {
        logger.error(
          "request failed",
          metadata: ["path": "\(job.request.path)", "status": "\(status)"])
      }
      job.finish(status: status, type: type, body: body)
    case .events(let events): await stream(events, to: job)
    }
  }

  private func stream(_ events: AsyncThrowingStream<TuneEvent, any Error>, to job: RequestJob)
    async
  {
    defer { job.endEvents() }
    do {
      try await job.startEvents()
      do {
        for try await event in events {
          try await job.send(ServerSentEvent.make(name: "progress", event))
        }
      } catch let error as ServiceError {
        try await job.send(ServerSentEvent.make(name: "error", error))
      }
    } catch {
      logger.debug("a client left a stream of events", metadata: ["error": "\(error)"])
    }
  }
}

/// Makes the text of server-sent events.
enum ServerSentEvent {
  static func make(name: String, _ value: some Encodable) throws -> ByteBuffer {
    var event = ByteBuffer(string: "event: \(name)\ndata: ")
    event.writeBytes(try WireJSON.encode(value))
    event.writeString("\n\n")
    return event
  }
}
