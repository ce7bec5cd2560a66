import Synchronization

/// What the server counts. Safe to use from every thread.
package final class ServerCounters: Sendable {
  private let open = Atomic(0)
  private let refusals = Atomic(0)

  package init() {}

  /// The connections that are open.
  package var connections: Int { open.load(ordering: .relaxed) }
  /// The requests that were refused before they reached a route.
  package var refusedRequests: Int { refusals.load(ordering: .relaxed) }

  func opened() { open.add(1, ordering: .relaxed) }
  func closed() { open.subtract(1, ordering: .relaxed) }
  func refused() { refusals.add(1, ordering: .relaxed) }
}
