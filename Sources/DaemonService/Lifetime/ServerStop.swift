import NIOCore
import Synchronization

/// Ends a server in order: the listener, then the connections, then the stream of requests.
final class ServerStop: Sendable {
  private let asked = Mutex(false)
  private let channel: any Channel
  private let counters: ServerCounters
  private let jobs: AsyncStream<RequestJob>.Continuation

  init(
    channel: any Channel, counters: ServerCounters, jobs: AsyncStream<RequestJob>.Continuation
  ) {
    self.channel = channel
    self.counters = counters
    self.jobs = jobs
  }

  /// Whether somebody asked, as opposed to a listener that died.
  var wasAsked: Bool { asked.withLock { $0 } }

  func begin() {
    asked.withLock { $0 = true }
    channel.close(promise: nil)
  }

  func listenerClosed() {
    counters.drain { [jobs] in jobs.finish() }
  }
}
