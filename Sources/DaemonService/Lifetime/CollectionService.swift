import CacheStore
import Logging
import Optimization
import ServiceLifecycle

/// Collects what the limits leave no room for, again and again until the daemon stops.
struct CollectionService: Service {
  let library: KernelLibrary
  let limits: CollectionLimits
  /// The time between two collections.
  let seconds: Double
  let log: Logger

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      // Daemons that start together must not work together, nor one that restarts in a loop work each time.
      var pause = seconds * Double.random(in: 0.05...0.5)
      while true {
        try await Task.sleep(for: .seconds(pause))
        await collect()
        pause = seconds * Double.random(in: 0.9...1.1)
      }
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
