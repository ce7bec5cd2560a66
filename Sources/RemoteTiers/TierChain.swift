package import Support
import Synchronization

/// Tiers asked one after the other. One that keeps failing steps aside and comes back by itself, so a dead
/// tier costs little and is never an error.
package final class TierChain: Sendable {
  private let tiers: [any RemoteTier]
  private let time: any TimeSource
  private let breakers: Mutex<[Breaker]>

  package init(_ tiers: [any RemoteTier], time: any TimeSource = SystemTime()) {
    self.tiers = tiers
    self.time = time
    breakers = Mutex(Array(repeating: Breaker(), count: tiers.count))
  }

  /// The value of the first tier that has it. A blob has its digest whatever the tier says; a tier that gives
  /// other bytes has failed.
  package func get(_ address: RemoteAddress) async -> [UInt8]? {
    for index in tiers.indices {
      let tier = tiers[index]
      let found = await attempt(index) {
        let bytes = try await tier.get(address)
        if let bytes { try address.check(bytes) }
        return bytes
      }
      if case .some(.some(let bytes)) = found { return bytes }
    }
    return nil
  }

  /// Gives a value to every tier.
  ///
  /// - Returns: how many took it.
  /// - Throws: as ``RemoteTier/put(_:at:)`` for a value that no tier may hold.
  @discardableResult
  package func put(_ bytes: [UInt8], at address: RemoteAddress) async throws -> Int {
    try address.check(bytes)
    var taken = 0
    for index in tiers.indices {
      let tier = tiers[index]
      let done: Void? = await attempt(index) { try await tier.put(bytes, at: address) }
      if done != nil { taken += 1 }
    }
    return taken
  }

  /// Whether any tier says that it has a value.
  package func contains(_ address: RemoteAddress) async -> Bool {
    for index in tiers.indices {
      let tier = tiers[index]
      if await attempt(index, { try await tier.contains(address) }) == true { return true }
    }
    return false
  }

  /// - Returns: `nil` when the tier stepped aside or failed. A cancelled call says nothing about the tier.
  private func attempt<Value: Sendable>(
    _ index: Int, _ call: @Sendable () async throws -> Value
  ) async -> Value? {
    guard breakers.withLock({ $0[index].admits(at: time.monotonicSeconds) }) else { return nil }
    do {
      let value = try await call()
      breakers.withLock { $0[index].succeeded() }
      return value
    } catch is CancellationError {
      return nil
    } catch {
      breakers.withLock { $0[index].failed(at: time.monotonicSeconds) }
      return nil
    }
  }
}
