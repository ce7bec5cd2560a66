import CKernelHost
import Glibc
import Synchronization
import Testing

@Suite struct ThreadPoolTests {
  /// What one loop writes: how often each index was run, by threads that are in no order.
  private final class Counts {
    let runs: UnsafeMutablePointer<Int32>
    init(_ count: Int) {
      runs = .allocate(capacity: count)
      runs.initialize(repeating: 0, count: count)
    }
    deinit { runs.deallocate() }
  }

  @Test(
    "each index runs once, in every loop, with more threads than processors", arguments: [1, 2, 16])
  func everyIndexOnce(threads: Int32) throws {
    let pool = try #require(granary_pool_create(threads))
    defer { granary_pool_destroy(pool) }
    let context = try #require(granary_pool_context(pool))
    #expect(context.pointee.thread_count == threads)
    let loops: Int32 = 5000
    for count in [1, 3, 64] {
      let counts = Counts(count)
      for _ in 0..<loops {
        context.pointee.parallel_for(
          context, Int64(count),
          { runs, index, _ in
            runs?.assumingMemoryBound(to: Int32.self)[Int(index)] += 1
          }, counts.runs)
      }
      for index in 0..<count { #expect(counts.runs[index] == loops) }
      granary_pool_rest(pool)
    }
  }

  @Test("a kernel runs on as many of the host's threads as it has room for")
  func fewerThreads() throws {
    let pool = try #require(granary_pool_create(8))
    defer { granary_pool_destroy(pool) }
    // How often each thread ran an index; the first tells the kernel how many it has room for.
    let counts = Counts(9)
    counts.runs[0] = 3
    let kernel: granary_kernel_function = { _, _, workspace, context in
      guard let context, let counts = workspace?.assumingMemoryBound(to: Int32.self),
        context.pointee.thread_count <= counts[0]
      else { return GRANARY_TOO_MANY_THREADS }
      context.pointee.parallel_for(
        context, 64,
        { counts, _, thread in
          guard let own = counts?.assumingMemoryBound(to: Int32.self) else { return }
          own[Int(thread) + 1] += 1
        }, workspace)
      return GRANARY_OK
    }
    var most = Int32.max
    for _ in 0..<2000 {
      let status = granary_call_within(
        kernel, nil, nil, counts.runs, granary_pool_context(pool), &most)
      #expect(status == GRANARY_OK)
    }
    #expect(most == 3)
    #expect((1...3).reduce(0) { $0 + counts.runs[$1] } == 2000 * 64)
    #expect((4...8).allSatisfy { counts.runs[$0] == 0 })

    counts.runs[0] = 0
    let refused = granary_call_within(
      kernel, nil, nil, counts.runs, granary_pool_context(pool), &most)
    #expect(refused == GRANARY_TOO_MANY_THREADS)
  }
  @Test("a thread that comes late is not waited for")
  func lateThread() throws {
    let pool = try #require(granary_pool_create(2))
    defer { granary_pool_destroy(pool) }
    let context = try #require(granary_pool_context(pool))
    // The other thread tells who it is; the caller stays in its share until then.
    context.pointee.parallel_for(
      context, 2,
      { _, _, thread in
        if thread == 1 {
          // Threads of the test's own pool have signals blocked, and those that they start.
          var signals = sigset_t()
          sigemptyset(&signals)
          sigaddset(&signals, SIGUSR2)
          pthread_sigmask(SIG_UNBLOCK, &signals, nil)
          lateThreadHandle.store(UInt(pthread_self()), ordering: .sequentiallyConsistent)
        }
        linger { lateThreadHandle.load(ordering: .sequentiallyConsistent) != 0 }
      }, nil)
    granary_pool_rest(pool)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      isHeld.store(true, ordering: .sequentiallyConsistent)
      linger { isReleased.load(ordering: .sequentiallyConsistent) }
      isHeld.store(false, ordering: .sequentiallyConsistent)
    }
    var before = sigaction()
    sigaction(SIGUSR2, &action, &before)
    defer { sigaction(SIGUSR2, &before, nil) }
    pthread_kill(lateThreadHandle.load(ordering: .sequentiallyConsistent), SIGUSR2)
    linger { isHeld.load(ordering: .sequentiallyConsistent) }

    let counts = Counts(64)
    context.pointee.parallel_for(
      context, 64,
      { runs, index, _ in runs?.assumingMemoryBound(to: Int32.self)[Int(index)] += 1 },
      counts.runs)
    let wasHeld = isHeld.load(ordering: .sequentiallyConsistent)
    #expect(wasHeld, "the loop waited for the thread")
    #expect((0..<64).allSatisfy { counts.runs[$0] == 1 })

    isReleased.store(true, ordering: .sequentiallyConsistent)
    linger { !isHeld.load(ordering: .sequentiallyConsistent) }
  }
}

private let lateThreadHandle = Atomic<UInt>(0)
private let isHeld = Atomic(false)
private let isReleased = Atomic(false)

/// Waits until `condition` holds, or a minute, so that a fault is a failure and not a hang.
private func linger(until condition: () -> Bool) {
  for _ in 0..<60_000 where !condition() { usleep(1000) }
}
