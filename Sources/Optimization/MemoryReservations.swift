/// Lets tasks that need much memory run at once only as far as it suffices; the others wait in order.
actor MemoryReservations {
  /// What all may reserve together. A task alone may exceed it.
  nonisolated let totalBytes: Int
  private let freeBytes: @Sendable () -> Int
  private var reservedBytes = 0
  private var waiting: [(bytes: Int, continuation: CheckedContinuation<Void, Never>)] = []

  /// - Parameter freeBytes: what the machine has free at the moment.
  init(totalBytes: Int, freeBytes: @escaping @Sendable () -> Int) {
    self.totalBytes = totalBytes
    self.freeBytes = freeBytes
  }

  /// Runs `work` when `bytes` are there for it.
  func run<Value: Sendable>(
    _ bytes: Int, _ work: @Sendable () async throws -> Value
  ) async throws -> Value {
    if waiting.isEmpty, fits(bytes) {
      reservedBytes += bytes
    } else {
      await withCheckedContinuation { waiting.append((bytes, $0)) }
    }
    defer { leave(bytes) }
    return try await work()
  }

  private func fits(_ bytes: Int) -> Bool {
    reservedBytes == 0 || (bytes <= totalBytes - reservedBytes && bytes <= freeBytes())
  }

  private func leave(_ bytes: Int) {
    reservedBytes -= bytes
    while let next = waiting.first, fits(next.bytes) {
      waiting.removeFirst()
      reservedBytes += next.bytes
      next.continuation.resume()
    }
  }
}
