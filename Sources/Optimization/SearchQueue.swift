package import KernelSpec
import Synchronization

/// Which searches wait, by demand, and who is told of their progress.
///
/// At most one search runs at a time: two would spoil each other's measurements. The one most asked for goes
/// first; of two asked for equally often, the one asked for first.
package actor SearchQueue {
  package struct Order: Sendable {
    package let plan: KernelPlan
    package var limits: SearchLimits
  }

  private struct Waiting {
    var order: Order
    var demand: Int
    var arrival: Int
    /// Another machine searches for it.
    var isPostponed = false
  }

  private var waiting: [Digest: Waiting] = [:]
  private var running: Digest?
  /// The names of the specs whose searches wait or run, for people.
  private var names: [Digest: String] = [:]
  private var arrivals = 0
  private var observers: [Digest: [Int: AsyncStream<SearchProgress>.Continuation]] = [:]
  private var last: [Digest: SearchProgress] = [:]
  private var worker: CheckedContinuation<Void, Never>?
  private var observerCount = 0

  package init() {}

  /// Asks for a search; one that waits already gains demand, one that runs is left alone.
  package func add(_ plan: KernelPlan, limits: SearchLimits, demand: Int = 1) {
    let key = plan.key.digest
    guard running != key else { return }
    if var known = waiting[key] {
      known.demand += demand
      known.order.limits = known.order.limits.union(limits)
      waiting[key] = known
    } else {
      arrivals += 1
      names[key] = plan.spec.name
      waiting[key] = Waiting(
        order: Order(plan: plan, limits: limits), demand: demand, arrival: arrivals)
      publish(SearchProgress(key: key, state: .queued, secondsLeft: limits.seconds))
    }
    worker?.resume()
    worker = nil
  }

  /// The search to run next; waits until there is one. `nil` once the task is cancelled.
  package func next() async -> Order? {
    while !waiting.values.contains(where: { !$0.isPostponed }) {
      if Task.isCancelled { return nil }
      await withTaskCancellationHandler {
        await withCheckedContinuation { worker = $0 }
      } onCancel: {
        Task { await self.wake() }
      }
    }
    let best = waiting.filter { !$0.value.isPostponed }.max {
      ($0.value.demand, -$0.value.arrival) < ($1.value.demand, -$1.value.arrival)
    }
    guard let best, !Task.isCancelled else { return nil }
    waiting[best.key] = nil
    running = best.key
    return best.value.order
  }

  /// Puts an order back that runs, until `resume` is called for its key.
  func postpone(_ order: Order) {
    let key = order.plan.key.digest
    guard running == key else { return }
    running = nil
    arrivals += 1
    waiting[key] = Waiting(order: order, demand: 1, arrival: arrivals, isPostponed: true)
    publish(SearchProgress(key: key, state: .queued, secondsLeft: order.limits.seconds))
  }

  func resume(_ key: Digest) {
    waiting[key]?.isPostponed = false
    wake()
  }

  private func wake() {
    worker?.resume()
    worker = nil
  }

  /// Tells observers of a key's search; after a report of the state `finished` their streams end.
  package func publish(_ progress: SearchProgress) {
    last[progress.key] = progress
    for observer in (observers[progress.key] ?? [:]).values { observer.yield(progress) }
    guard progress.state == .finished else { return }
    if running == progress.key { running = nil }
    for observer in (observers.removeValue(forKey: progress.key) ?? [:]).values {
      observer.finish()
    }
    last[progress.key] = nil
    names[progress.key] = nil
  }

  /// The last report on every search that runs or waits, with the name of its spec: the running one first, then
  /// those that wait in the order in which they will run.
  package var reports: [(name: String, progress: SearchProgress)] {
    let order = waiting.sorted {
      ($0.value.demand, -$0.value.arrival) > ($1.value.demand, -$1.value.arrival)
    }
    return ([running].compactMap { $0 } + order.map(\.key)).compactMap { key in
      last[key].map { (names[key] ?? "", $0) }
    }
  }

  /// The reports on a key's search from now on, beginning with the last one. Ends at once when none waits or runs.
  package func observe(_ key: Digest) -> AsyncStream<SearchProgress> {
    let (stream, continuation) = AsyncStream.makeStream(
      of: SearchProgress.self, bufferingPolicy: .bufferingNewest(16))
    guard let latest = last[key] else {
      continuation.finish()
      return stream
    }
    continuation.yield(latest)
    observerCount += 1
    let number = observerCount
    observers[key, default: [:]][number] = continuation
    continuation.onTermination = { [weak self] _ in
      Task { await self?.forget(number, of: key) }
    }
    return stream
  }

  private func forget(_ number: Int, of key: Digest) { observers[key]?[number] = nil }

  /// The state of a key's search; `nil` when none waits or runs.
  package func state(of key: Digest) -> SearchProgress.State? {
    if running == key { return .running }
    return waiting[key] == nil ? nil : .queued
  }

  package var counts: (running: Int, queued: Int) { (running == nil ? 0 : 1, waiting.count) }
}

/// How long one search may take.
package struct SearchLimits: Sendable, Hashable, Codable {
  /// What a search takes where nobody says.
  package static let usualSeconds = 60.0

  package var seconds: Double
  package var candidates: Int

  package init(seconds: Double, candidates: Int) {
    self.seconds = seconds
    self.candidates = candidates
  }

  func union(_ other: SearchLimits) -> SearchLimits {
    SearchLimits(
      seconds: max(seconds, other.seconds), candidates: max(candidates, other.candidates))
  }
}
