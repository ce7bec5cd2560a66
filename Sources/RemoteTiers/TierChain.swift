package import Support
import Synchronization

/// Tiers asked one after the other. One that keeps failing steps aside and comes back by itself, so
/// a dead tier costs little and is never an error.
package final class TierChain: Sendable {
  private let tiers: [any RemoteTier]
  /// Whether anything is written to them.
  package let isWritable: Bool
  /// Whether they are left alone: nothing is found in them or given to them.
  package let isOffline: Bool
  private let time: any TimeSource
  private let breakers: Mutex<[Breaker]>
  private let counts: Mutex<[TierCounts]>

  package init(
    _ tiers: [any RemoteTier], isWritable: Bool = true, isOffline: Bool = false,
    time: any TimeSource = SystemTime()
  ) {
    self.isOffline = isOffline
    self.tiers = tiers
    self.isWritable = isWritable
    self.time = time
    breakers = Mutex(Array(repeating: Breaker(), count: tiers.count))
    counts = Mutex(tiers.map { TierCounts(name: $0.name) })
  }

  /// How each tier has done since the start.
  package var statistics: [TierCounts] { counts.withLock { $0 } }

  /// The value of the first tier that has it, which those asked before it and without it are given, if writable. A
  /// blob has its digest whatever the tier says; a tier that gives other bytes has failed.
  package func get(_ address: RemoteAddress) async -> [UInt8]? {
    var missing: [Int] = []
    for index in tiers.indices {
      let tier = tiers[index]
      let found = await attempt(index) {
        let bytes = try await tier.get(address)
        if let bytes { try address.check(bytes) }
        return bytes
      }
      count(index) { $0.asked += 1 }
      if case .some(.some(let bytes)) = found {
        count(index) {
          $0.found += 1
          $0.bytesRead += bytes.count
        }
        if isWritable { await backfill(bytes, at: address, to: missing) }
        return bytes
      }
      if case .some(.none) = found { missing.append(index) }
    }
    return nil
  }

  private func backfill(_ bytes: [UInt8], at address: RemoteAddress, to missing: [Int]) async {
    for index in missing {
      let tier = tiers[index]
      _ = await attempt(index) { try await tier.put(bytes, at: address) }
    }
  }

  private func count(_ index: Int, _ change: (inout TierCounts) -> Void) {
    counts.withLock { change(&$0[index]) }
  }

  /// Gives a value to every tier.
  ///
  /// - Returns: how many took it.
  /// - Throws: as ``RemoteTier/put(_:at:)`` for a value that no tier may hold.
  @discardableResult
  package func put(_ bytes: [UInt8], at address: RemoteAddress) async throws -> Int {
    try address.check(bytes)
    guard isWritable else { return 0 }
    var taken = 0
    for index in tiers.indices {
      let tier = tiers[index]
      let done: Void? = await attempt(index) { try await tier.put(bytes, at: address) }
      if done != nil {
        taken += 1
        count(index) { $0.bytesWritten += bytes.count }
      }
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

  /// Leases in the last tier, which most machines share; `nil` when there can be none.
  ///
  /// - Parameter seconds: how long a lease holds without a word of its holder; 0 for none at all.
  package func leases(seconds: Double) -> TierLeases? {
    guard isWritable, !isOffline, seconds > 0, let last = tiers.last as? any ConditionalTier else {
      return nil
    }
    return TierLeases(last, seconds: seconds, time: time)
  }

  /// - Returns: `nil` when the tier stepped aside or failed. A cancelled call says nothing about
  ///   the tier.
  private func attempt<Value: Sendable>(
    _ index: Int, _ call: @Sendable () async throws -> Value
  ) async -> Value? {
    guard !isOffline, breakers.withLock({ $0[index].admits(at: time.monotonicSeconds) })
    else { return nil }
    do {
      let value = try await call()
      breakers.withLock { $0[index].succeeded() }
      return value
    } catch is CancellationError {
      return nil
    } catch {
      breakers.withLock { $0[index].failed(at: time.monotonicSeconds) }
      count(index) {
        $0.failures += 1
        $0.lastFailure = "\(error)"
      }
      return nil
    }
  }
}

/// How a tier has done since the start.
package struct TierCounts: Sendable, Hashable {
  package var name: String
  package var asked = 0
  package var found = 0
  package var failures = 0
  package var bytesRead = 0
  package var bytesWritten = 0
  package var lastFailure: String?

  init(name: String) { self.name = name }
}
