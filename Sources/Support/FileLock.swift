import Glibc
import Synchronization

/// An exclusive lock on a file, held until released or until this value is gone. The kernel frees
/// it when the process dies.
package final class FileLock: Sendable {
  private let descriptor: Mutex<Int32?>

  /// - Returns: `nil` when another process or opener holds the lock.
  package init?(path: String) throws {
    let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard opened >= 0 else { throw GranaryError.system("open", path) }
    guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      close(opened)
      guard number == EWOULDBLOCK else {
        errno = number
        throw GranaryError.system("flock", path)
      }
      return nil
    }
    descriptor = Mutex(opened)
  }

  /// Gives the lock up; does nothing the second time.
  package func release() {
    descriptor.withLock { held in
      if let open = held {
        // Closing alone leaves the lock with a child process that is between its fork and its exec.
        flock(open, LOCK_UN)
        close(open)
      }
      held = nil
    }
  }

  deinit { release() }
}
