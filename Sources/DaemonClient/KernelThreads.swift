import CKernelHost
public import DaemonAPI

/// Threads on which kernels run, the caller's among them: those of one call at a time.
///
/// Kernels that are compared share one. With threads of their own, those of the kernel before would still look for work
/// on the processors that the next one needs.
public final class KernelThreads {
  private let pool: OpaquePointer

  /// - Parameter count: how many threads a call uses, the caller's included; at least one.
  /// - Throws: `environment` when the system starts no more threads.
  public init(count: Int) throws(ServiceError) {
    guard let pool = granary_pool_create(Int32(max(1, count))) else {
      throw ServiceError(.environment, "cannot start \(count) threads")
    }
    self.pool = pool
  }

  deinit { granary_pool_destroy(pool) }

  var context: UnsafePointer<granary_context>? { granary_pool_context(pool) }
}
