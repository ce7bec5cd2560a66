import KernelSpec
import SimulatedFiles
import Support
import Synchronization
import Testing

@testable import RemoteTiers

/// A tier that fails, or gives fixed bytes, and counts its calls.
private final class ScriptedTier: RemoteTier {
  let name = "scripted"
  private let state = Mutex((answer: Result<[UInt8]?, GranaryError>.success(nil), calls: 0))

  func answer(_ answer: Result<[UInt8]?, GranaryError>) { state.withLock { $0.answer = answer } }
  var calls: Int { state.withLock { $0.calls } }

  func get(_ address: RemoteAddress) async throws -> [UInt8]? {
    try state.withLock { state in
      state.calls += 1
      return try state.answer.get()
    }
  }
  func put(_ bytes: [UInt8], at address: RemoteAddress) async throws { _ = try await get(address) }
  func contains(_ address: RemoteAddress) async throws -> Bool { try await get(address) != nil }
}

private let failure = GranaryError(.system, "down", responsible: .environment)

@Suite struct TierChainTests {
  private let time = ManualTime()
  private let first = ScriptedTier()
  private let second = SharedDirectoryTier(root: "/shared", fileSystem: SimulatedFileSystem())
  private let blob = RemoteAddress.blob(Digest(of: [7]))

  private var chain: TierChain { TierChain([first, second], time: time) }

  @Test("the first tier that has a value answers") func order() async throws {
    let chain = chain
    #expect(await chain.get(blob) == nil)
    try await second.put([7], at: blob)
    #expect(await chain.get(blob) == [7])
    #expect(await chain.contains(blob))
    first.answer(.success([7]))
    let calls = first.calls
    #expect(await chain.get(blob) == [7])
    #expect(first.calls == calls + 1)
  }

  @Test("a failing tier is passed over and steps aside, and comes back after a delay")
  func breaker() async throws {
    let chain = chain
    try await second.put([7], at: blob)
    first.answer(.failure(failure))
    for _ in 0..<10 { #expect(await chain.get(blob) == [7]) }
    #expect(first.calls == Breaker.failuresUntilAside)
    time.advance(seconds: Breaker.firstDelaySeconds)
    for _ in 0..<10 { #expect(await chain.get(blob) == [7]) }
    #expect(first.calls == Breaker.failuresUntilAside + 1)
    time.advance(seconds: Breaker.firstDelaySeconds)
    #expect(await chain.get(blob) == [7])
    #expect(first.calls == Breaker.failuresUntilAside + 1, "the delay has doubled")
    first.answer(.success([7]))
    time.advance(seconds: Breaker.firstDelaySeconds)
    for _ in 0..<3 { #expect(await chain.get(blob) == [7]) }
    #expect(first.calls == Breaker.failuresUntilAside + 4)
  }

  @Test("bytes with another digest are never returned, and count as a failure")
  func wrongBytes() async throws {
    let chain = chain
    try await second.put([7], at: blob)
    first.answer(.success([8]))
    for _ in 0..<10 { #expect(await chain.get(blob) == [7]) }
    #expect(first.calls == Breaker.failuresUntilAside)
  }

  @Test("a value is given to the tiers before the one that had it, unless they are only read")
  func backfill() async throws {
    let near = SharedDirectoryTier(root: "/near", fileSystem: SimulatedFileSystem())
    try await second.put([7], at: blob)
    let reading = TierChain([near, second], isWritable: false, time: time)
    #expect(await reading.get(blob) == [7])
    #expect(try await near.get(blob) == nil)
    #expect(try await reading.put([7], at: blob) == 0)
    let writing = TierChain([near, second], time: time)
    #expect(await writing.get(blob) == [7])
    #expect(try await near.get(blob) == [7])
    #expect(writing.statistics.map(\.found) == [0, 1])
  }

  @Test("a value goes to every tier that can take it") func puts() async throws {
    let chain = chain
    #expect(try await chain.put([7], at: blob) == 2)
    first.answer(.failure(failure))
    #expect(try await chain.put([7], at: blob) == 1)
    #expect(try await second.get(blob) == [7])
    await #expect(throws: GranaryError.self) { try await chain.put([8], at: blob) }
  }

  @Test("the delay doubles up to a limit, and a success resets it") func delays() {
    var breaker = Breaker()
    var now = 0.0
    for _ in 0..<Breaker.failuresUntilAside { breaker.failed(at: now) }
    var delay = Breaker.firstDelaySeconds
    for _ in 0..<12 {
      let early = breaker.admits(at: now + delay * 0.99)
      now += delay
      let due = breaker.admits(at: now)
      let twice = breaker.admits(at: now)
      #expect(!early && due && !twice)
      breaker.failed(at: now)
      delay = min(2 * delay, Breaker.longestDelaySeconds)
    }
    breaker.succeeded()
    let again = breaker.admits(at: now)
    #expect(again && breaker == Breaker())
  }
}
