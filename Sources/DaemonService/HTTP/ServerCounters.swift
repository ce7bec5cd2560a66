import NIOCore
import Synchronization

/// What the server counts, and the connections that are open. Safe to use from every thread.
package final class ServerCounters: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    var refused = 0
    var whenEmpty: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  package init() {}

  package var connections: Int { state.withLock { $0.channels.count } }
  package var refusedRequests: Int { state.withLock { $0.refused } }

  func refused() { state.withLock { $0.refused += 1 } }

  /// - Returns: whether there is room for the connection and the server is not draining.
  func open(_ channel: any Channel, limit: Int) -> Bool {
    state.withLock {
      guard $0.whenEmpty == nil, $0.channels.count < limit else { return false }
      $0.channels[ObjectIdentifier(channel)] = channel
      return true
    }
  }

  func close(_ channel: any Channel) {
    let action: (@Sendable () -> Void)? = state.withLock {
      $0.channels[ObjectIdentifier(channel)] = nil
      return $0.channels.isEmpty ? $0.whenEmpty : nil
    }
    action?()
  }

  /// Tells every connection to end after its request, and calls `whenEmpty` once all have.
  func drain(_ whenEmpty: @escaping @Sendable () -> Void) {
    let open = state.withLock {
      $0.whenEmpty = whenEmpty
      return Array($0.channels.values)
    }
    if open.isEmpty { whenEmpty() }
    for channel in open {
      channel.pipeline.fireUserInboundEventTriggered(ConnectionHandler.Drain())
    }
  }
}
