import CacheStore
import Logging
import Optimization
import ServiceLifecycle

/// Collects what the limits leave no room for, again and again until the daemon stops: after some time, and as soon
/// as the store has grown beyond its limits.
struct CollectionService: Service {
  let library: KernelLibrary
  let limits: CollectionLimits
  /// The time between two collections.
  let seconds: Double
  let log: Logger

  func run() async throws {
    let (moments, moment) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    try? await cancelWhenGracefulShutdown {
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { for await _ in library.store.growth { moment.yield() } }
        group.addTask { try await tick(moment) }
        group.addTask { for await _ in moments { await collect() } }
        try await group.waitForAll()
      }
    }
  }

  private func tick(_ moment: AsyncStream<Void>.Continuation) async throws {
    // Daemons that start together must not work together, nor one that restarts in a loop work each time.
    var pause = seconds * Double.random(in: 0.05...0.5)
    while true {
      try await Task.sleep(for: .seconds(pause))
      moment.yield()
      pause = seconds * Double.random(in: 0.9...1.1)
    }
  }

  private func collect() async {
    do {
      let report = try await library.collect(limits)
      if report.isEmpty { return }
      log.info(
        "collected",
        metadata: [
          "entries": "\(report.entriesRemoved)", "revisions": "\(report.revisionsRemoved)",
          "searches": "\(report.searchesRemoved)", "bytes": "\(report.bytesFreed)",
        ])
    } catch {
      log.warning("a collection failed", metadata: ["error": "\(error)"])
    }
  }
}
