import CLinux
import DaemonAPI
import Glibc
package import Logging
import ServiceLifecycle
import Support

/// What a server asks for answers.
package protocol RequestResponding: Sendable {
  /// The response to `request`; every failure is a response too.
  func respond(to request: Request) async -> Response
  /// What is answered on the server's loop; `nil` when nothing is hot.
  var hotRoutes: HotRoutes? { get }
  var counters: ServerCounters { get }
}

/// Accepts connections on the socket and serves them until it is told to stop.
///
/// A graceful shutdown stops accepting, lets every request that has begun end, and closes what is idle. A listener
/// that dies for another reason ends `run` with an error.
package struct HTTPServer: Service {
  package struct Options: Sendable {
    package var limits = RequestLimits()
    package var connectionLimit = 1024
    package var patience = Patience()
    package var access = AccessRule.roles(Roles())

    package init() {}
  }

  let listener: ListeningSocket
  let responder: any RequestResponding
  let options: Options
  let logger: Logger
  /// Called once connections are accepted.
  let onReady: @Sendable () -> Void

  package init(
    listener: ListeningSocket, responder: any RequestResponding, options: Options,
    logger: Logger,
    onReady: @escaping @Sendable () -> Void = {}
  ) {
    self.listener = listener
    self.responder = responder
    self.options = options
    self.logger = logger
    self.onReady = onReady
  }

  package func run() async throws {
    let (jobs, continuation) = AsyncStream<RequestJob>.makeStream()
    let mailbox = try LoopMailbox()
    async let ending = loop(mailbox, continuation)
    logger.info("listening", metadata: ["socket": "\(listener.name)"])
    onReady()
    await withGracefulShutdownHandler {
      await serve(jobs)
    } onGracefulShutdown: {
      mailbox.post { $0.drain() }
    }
    mailbox.post { $0.stop() }
    listener.remove()
    if case .failed(let error) = try await ending {
      throw ServiceError(
        .environment,
        "the listening socket \(listener.name) has died: \(String(cString: strerror(error)))")
    }
  }

  /// Runs the loop on a thread of its own until it ends, and with it the stream of requests.
  private func loop(_ mailbox: LoopMailbox, _ jobs: AsyncStream<RequestJob>.Continuation)
    async throws -> ServerLoop.Ending
  {
    defer { jobs.finish() }
    let poller = granary_poller()
    guard poller >= 0 else { return .failed(errno: -poller) }
    let (options, responder, listener) = (options, responder, listener.descriptor)
    return try await OwnThread.run {
      let context = LoopContext(
        poller: poller, hot: responder.hotRoutes, access: options.access, options: options,
        jobs: jobs, counters: responder.counters, mailbox: mailbox)
      return ServerLoop(
        listener: listener, context: context, connectionLimit: options.connectionLimit
      ).run()
    }
  }

  private func serve(_ jobs: AsyncStream<RequestJob>) async {
    await withDiscardingTaskGroup { tasks in
      for await job in jobs {
        tasks.addTask { await perform(job) }
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
    switch await responder.respond(to: job.request) {
    case .complete(let status, let type, let body, let tag):
      if status >= 500 {
        logger.error(
          "request failed",
          metadata: ["path": "\(job.request.path)", "status": "\(status)"])
      }
      job.finish(status: status, type: type, body: body, tag: tag)
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
  static func make(name: String, _ value: some Encodable) throws -> [UInt8] {
    try Array("event: \(name)\ndata: ".utf8) + WireJSON.encode(value) + Array("\n\n".utf8)
  }
}
