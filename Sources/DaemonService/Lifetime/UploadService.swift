import Logging
import Optimization
import ServiceLifecycle

/// Gives the shared tiers what this machine has made, until the daemon stops; what is left is in the store.
struct UploadService: Service {
  let library: KernelLibrary
  let log: Logger
  /// The time between two looks at what is due.
  var seconds = 2.0

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(seconds))
        do {
          let count = try await library.upload()
          if count > 0 {
            log.info("gave kernels to the shared tiers", metadata: ["count": "\(count)"])
          }
        } catch is CancellationError {
          return
        } catch {
          log.warning("an upload failed", metadata: ["error": "\(error)"])
        }
      }
    }
  }
}
