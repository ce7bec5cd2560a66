import Glibc
import Support
import Synchronization

/// Lets uses of the store in until it is closed; closing waits for those that are inside.
///
/// A pool of connections must not be closed while one of them reads. Uses may be nested.
final class UseGate: Sendable {
  /// Only the functions of the lock touch its memory, and only `init` and `deinit` without them.
  private nonisolated(unsafe) let lock: UnsafeMutablePointer<pthread_rwlock_t>
  private let isClosed = Atomic(false)

  init() {
    lock = .allocate(capacity: 1)
    pthread_rwlock_init(lock, nil)
  }

  deinit {
    pthread_rwlock_destroy(lock)
    lock.deallocate()
  }

  /// - Throws: `store-closed` after the closing, and what `body` throws.
  func use<Value>(_ body: () throws -> Value) throws -> Value {
    pthread_rwlock_rdlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    if isClosed.load(ordering: .relaxed) {
      throw GranaryError(.storeClosed, "the store is closed", responsible: .environment)
    }
    return try body()
  }

  /// Runs `body` after the last use.
  func close(_ body: () throws -> Void) rethrows {
    pthread_rwlock_wrlock(lock)
    defer { pthread_rwlock_unlock(lock) }
    isClosed.store(true, ordering: .relaxed)
    try body()
  }
}
