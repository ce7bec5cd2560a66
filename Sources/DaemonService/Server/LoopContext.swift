import CLinux
import Glibc

/// How long a client may take.
package struct Patience: Sendable {
  /// For a whole request, from its first byte, and for reading what it was sent.
  package var request: Duration = .seconds(30)
  /// Between two requests.
  package var idle: Duration = .seconds(600)
  /// For requests that have begun when the server is told to stop: the others are told to ask the next daemon. Less
  /// than what the daemon as a whole has, so that nothing that they need ends before them.
  package var drain: Duration = .seconds(15)
}

/// What every connection of a loop shares. Belongs to the loop's thread.
final class LoopContext {
  let poller: Int32
  /// What the loop answers by itself; `nil` for a server that has nothing hot.
  let hot: HotRoutes?
  let access: AccessRule
  let limits: RequestLimits
  let patience: (request: UInt64, idle: UInt64, drain: UInt64)
  let jobs: AsyncStream<RequestJob>.Continuation
  let counters: ServerCounters
  let mailbox: LoopMailbox
  /// What is received lands here first. Sixty-four kilobytes: more than nearly every request.
  let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 64)
  /// The bodies that are being received or served, in bytes.
  private var bodyBytes = 0
  /// Nanoseconds of the monotonic clock, read when the loop last woke.
  var now = granary_now()

  init(
    poller: Int32, hot: HotRoutes?, access: AccessRule, options: HTTPServer.Options,
    jobs: AsyncStream<RequestJob>.Continuation, counters: ServerCounters, mailbox: LoopMailbox
  ) {
    self.poller = poller
    self.hot = hot
    self.access = access
    limits = options.limits
    let given = options.patience
    patience = (given.request.nanoseconds, given.idle.nanoseconds, given.drain.nanoseconds)
    self.jobs = jobs
    self.counters = counters
    self.mailbox = mailbox
  }

  /// Takes room for a body.
  ///
  /// - Returns: `false` when others hold too much.
  func reserve(_ bytes: Int) -> Bool {
    guard bodyBytes + bytes <= limits.allBodiesBytes else { return false }
    bodyBytes += bytes
    return true
  }

  func release(_ bytes: Int) { bodyBytes -= bytes }

  deinit {
    received.deallocate()
    close(poller)
  }
}

extension Duration {
  /// In whole nanoseconds; what is longer than a century is a century.
  var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(max(0, min(seconds, 3_155_760_000))) * 1_000_000_000
      + UInt64(max(0, attoseconds) / 1_000_000_000)
  }
}
