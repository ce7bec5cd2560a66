import Dispatch

/// Runs an actor on a thread of its own, so that its methods may block without holding up other
/// tasks.
final class ThreadExecutor: SerialExecutor {
  private let queue = DispatchQueue(label: "granary.evaluation")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    let executor = asUnownedSerialExecutor()
    queue.async { job.runSynchronously(on: executor) }
  }
}
