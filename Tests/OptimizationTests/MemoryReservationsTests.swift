import Synchronization
import Testing

@testable import Optimization

@Suite struct MemoryReservationsTests {
  @Test("what does not fit beside the others waits for them, and all run in the end")
  func bounded() async throws {
    let memory = MemoryReservations(totalBytes: 100) { 100 }
    let peak = Peak()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for bytes in [60, 60, 30, 100, 10, 90, 40] {
        group.addTask {
          try await memory.run(bytes) {
            peak.add(bytes)
            await Task.yield()
            peak.add(-bytes)
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(peak.largest <= 100)
    #expect(peak.runs == 14)
  }

  @Test("a task alone runs however much it needs")
  func alone() async throws {
    let memory = MemoryReservations(totalBytes: 10) { 0 }
    #expect(try await memory.run(1000) { 7 } == 7)
  }

  private final class Peak: Sendable {
    private let state = Mutex((now: 0, largest: 0, runs: 0))
    func add(_ bytes: Int) {
      state.withLock {
        $0.now += bytes
        $0.largest = max($0.largest, $0.now)
        $0.runs += 1
      }
    }
    var largest: Int { state.withLock(\.largest) }
    var runs: Int { state.withLock(\.runs) }
  }
}
