import Glibc

/// Runs what blocks, which the cooperative threads must not, on a thread of its own.
package enum OwnThread {
  /// Runs `body` and waits for its end; a cancelled task waits too.
  ///
  /// - Throws: what `body` throws, or `system` when there is no thread to have.
  package static func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value)
    async throws -> Value
  {
    try await withCheckedThrowingContinuation { continuation in
      let work = Work { continuation.resume(with: Result { try body() }) }
      do {
        try start(work)
      } catch {
        continuation.resume(throwing: error)
      }
    }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func start(_ work: Work) throws(GranaryError) {
    let retained = Unmanaged.passRetained(work)
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, retained.toOpaque())
    guard result == 0 else {
      retained.release()
      throw GranaryError(
        .system, "cannot start a thread: \(String(cString: strerror(result)))",
        responsible: .environment, metadata: ["errno": "\(result)"])
    }
    pthread_detach(thread)
  }
}
