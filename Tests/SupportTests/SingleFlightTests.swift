import Support
import Synchronization
import Testing

@Suite struct SingleFlightTests {
  private struct Failure: Error {}

  private final class Runs: Sendable {
    private let numbers = Mutex<Set<Int>>([])
    var all: Set<Int> { numbers.withLock { $0 } }
    func note(_ number: Int) { numbers.withLock { _ = $0.insert(number) } }
  }

  @Test("those who ask for a key while its work runs get the result of that run")
  func sharing() async throws {
    let flights = SingleFlight<String, Int>()
    let (gate, open) = AsyncStream.makeStream(of: Void.self)
    let (started, start) = AsyncStream.makeStream(of: Void.self)
    async let first = flights.value(for: "a") {
      start.finish()
      for await _ in gate { continue }
      return 42
    }
    for await _ in started { continue }
    // The first run cannot end before the gate opens, so its key is still taken.
    async let second = flights.value(for: "a") { 7 }
    #expect(try await flights.value(for: "b") { 43 } == 43)
    open.finish()
    #expect(try await first == 42)
    #expect([7, 42].contains(try await second))
    #expect(try await flights.value(for: "a") { 8 } == 8)
  }

  @Test("a finished run is forgotten, also after an error")
  func forgetting() async throws {
    let flights = SingleFlight<String, Int>()
    await #expect(throws: Failure.self) { try await flights.value(for: "a") { throw Failure() } }
    #expect(try await flights.value(for: "a") { 1 } == 1)
    #expect(try await flights.value(for: "a") { 2 } == 2)
  }

  @Test("many who ask at once share few runs, and each gets the result of one of them")
  func crowd() async throws {
    let flights = SingleFlight<Int, Int>()
    let runs = Runs()
    let results = try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<200 {
        group.addTask {
          try await flights.value(for: 0) {
            runs.note(index)
            await Task.yield()
            return index
          }
        }
      }
      return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
    }
    #expect(results == runs.all)
  }
}
