import CKernelHost
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
}
