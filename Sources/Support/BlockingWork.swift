import Dispatch

/// Runs work that blocks on a thread of its own, so that it holds up no other task.
package func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
  await withCheckedContinuation { continuation in
    DispatchQueue(label: "granary.blocking").async { continuation.resume(returning: body()) }
  }
}

/// Runs work that blocks and may fail on a thread of its own.
package func onOwnThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  let result: Result<Value, any Error> = await onOwnThread { Result { try body() } }
  return try result.get()
}
