import CLinux
import DaemonAPI
import Glibc
import Synchronization

/// How other threads reach the server's loop: what they leave here is done on its thread, in order.
final class LoopMailbox: Sendable {
  typealias Job = @Sendable (ServerLoop) -> Void

  private struct State {
    var jobs: [Job] = []
    var isClosed = false
  }

  /// Readable while there is something to do.
  let wakeCounter: Int32
  private let state = Mutex(State())

  /// - Throws: `environment` when the process has no descriptors left.
  init() throws(ServiceError) {
    wakeCounter = granary_wake_counter()
    guard wakeCounter >= 0 else {
      throw ServiceError(
        .environment, "cannot make an event counter: \(String(cString: strerror(-wakeCounter)))")
    }
  }

  deinit { Glibc.close(wakeCounter) }

  /// Leaves `job` for the loop.
  ///
  /// - Returns: `false` when the loop has ended; the job is then never done.
  @discardableResult
  func post(_ job: @escaping Job) -> Bool {
    let isFirst: Bool? = state.withLock { state in
      guard !state.isClosed else { return nil }
      state.jobs.append(job)
      return state.jobs.count == 1
    }
    guard let isFirst else { return false }
    if isFirst { granary_wake(wakeCounter) }
    return true
  }

  /// Everything that was left since the last call.
  func take() -> [Job] {
    granary_wake_clear(wakeCounter)
    return state.withLock { state in
      defer { state.jobs = [] }
      return state.jobs
    }
  }

  /// Accepts nothing more, and returns what is left.
  func close() -> [Job] {
    state.withLock { state in
      state.isClosed = true
      defer { state.jobs = [] }
      return state.jobs
    }
  }
}
