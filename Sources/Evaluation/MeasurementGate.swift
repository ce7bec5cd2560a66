import Synchronization

/// Keeps measurements alone in this process: none runs beside other work.
///
/// Work goes first. A measurement waits until no work runs or waits, and work waits for one measurement at
/// most, which is why measurements are taken in short pieces.
package final class MeasurementGate: Sendable {
  private struct State {
    var working = 0
    var isMeasuring = false
    var work: [CheckedContinuation<Void, Never>] = []
    var measurements: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Runs work that would disturb a measurement.
  package func work<Value, Failure: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await withCheckedContinuation { continuation in
      let starts = state.withLock { state in
        if state.isMeasuring {
          state.work.append(continuation)
          return false
        }
        state.working += 1
        return true
      }
      if starts { continuation.resume() }
    }
    defer { next { $0.working -= 1 } }
    return try await body()
  }

  /// Runs one piece of a measurement.
  package func measure<Value, Failure: Error>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    await withCheckedContinuation { continuation in
      let starts = state.withLock { state in
        if state.isMeasuring || state.working > 0 {
          state.measurements.append(continuation)
          return false
        }
        state.isMeasuring = true
        return true
      }
      if starts { continuation.resume() }
    }
    defer { next { $0.isMeasuring = false } }
    return try await body()
  }

  /// Applies an end and starts whatever may start now.
  private func next(_ end: (inout State) -> Void) {
    let started = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      end(&state)
      if state.isMeasuring { return [] }
      if !state.work.isEmpty {
        defer { state.work = [] }
        state.working += state.work.count
        return state.work
      }
      guard state.working == 0, !state.measurements.isEmpty else { return [] }
      state.isMeasuring = true
      return [state.measurements.removeFirst()]
    }
    for continuation in started { continuation.resume() }
  }
}
