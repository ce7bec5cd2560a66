/// Runs at most one task for each key however many ask for it.
///
/// A task is forgotten when it ends, so a later call runs anew, also after an error. Cancelling a
/// caller does not cancel the shared work, which other callers may wait for.
package actor SingleFlight<Key: Hashable & Sendable, Value: Sendable> {
  private var running: [Key: Task<Value, any Error>] = [:]

  package init() {}

  /// The result of the task that runs for `key`, or of `work` when none does.
  package func value(
    for key: Key, _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    if let task = running[key] { return try await task.value }
    let task = Task { try await work() }
    running[key] = task
    defer { running[key] = nil }
    return try await task.value
  }
}
