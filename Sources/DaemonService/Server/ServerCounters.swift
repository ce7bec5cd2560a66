import Synchronization

/// What the server counts. Safe to use from every thread.
package final class ServerCounters: Sendable {
  private let open = Atomic(0)

  package init() {}

  /// The connections that are open.
  package var connections: Int { open.load(ordering: .relaxed) }

  func opened() { open.add(1, ordering: .relaxed) }
  func closed() { open.subtract(1, ordering: .relaxed) }
}
