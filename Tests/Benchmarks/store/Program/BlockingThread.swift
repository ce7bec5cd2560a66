import Glibc
import Support

/// A thread that runs a function which may block, and that can be waited for.
final class BlockingThread {
  private var thread = pthread_t()

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  init(_ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(Work(body))
    let result = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard result == 0 else {
      work.release()
      throw GranaryError.system("pthread_create", "a thread")
    }
  }

  func join() { pthread_join(thread, nil) }
}
