import CacheStore
import KernelSpec
import Logging
import RemoteTiers
import Support

/// One search for each key at a time, among all machines that share a tier.
extension KernelLibrary {
  /// What is to be done about a search now.
  enum Turn: Sendable {
    /// `nil` when no lease is needed or none can be had.
    case search(TierLeases.Lease?)
    /// Another machine has searched, and what it found is here.
    case settled
    /// Another machine searches.
    case later(seconds: Double)
  }

  func turn(of order: SearchQueue.Order) async -> Turn {
    let key = order.plan.key
    guard let leases else { return .search(nil) }
    if await isSettledElsewhere(key) { return .settled }
    switch await leases.take(key.digest) {
    case .held(let lease):
      // Between the first look and the lease another may have ended.
      if await isSettledElsewhere(key) {
        await leases.release(lease)
        return .settled
      }
      return .search(lease)
    case .unknown: return .search(nil)
    case .elsewhere(let seconds):
      log.info(
        "another machine searches",
        metadata: ["name": "\(order.plan.spec.name)", "seconds": "\(seconds)"])
      return .later(seconds: seconds)
    }
  }

  /// Whether a kernel that nobody has measured here was found by another machine meanwhile. A search that somebody
  /// wants again of a measured kernel is not.
  private func isSettledElsewhere(_ key: KernelKey) async -> Bool {
    guard let own = try? lookup(key), own.evidence.timing == nil else { return false }
    guard let found = await fetchShared(key), found.evidence.timing != nil else { return false }
    announceChange(of: key.digest)
    try? store.increment(["searches_left_to_others": 1])
    return true
  }

  /// Runs `search` and renews the lease meanwhile; at its end gives what was found, and then the lease back.
  func holding(_ lease: TierLeases.Lease?, _ search: @escaping @Sendable () async throws -> Void)
    async throws
  {
    guard let leases, let lease else { return try await search() }
    var outcome = Result<Void, any Error>.success(())
    var last: TierLeases.Lease?
    await withTaskGroup(of: HeldPart.self) { parts in
      parts.addTask { .kept(await self.kept(lease, leases)) }
      parts.addTask {
        do {
          return .searched(.success(try await search()))
        } catch {
          return .searched(.failure(error))
        }
      }
      for await part in parts {
        switch part {
        case .kept(let lease): last = lease
        case .searched(let result):
          outcome = result
          parts.cancelAll()
        }
      }
    }
    // Whoever waits looks into the tier as soon as the lease is free.
    _ = try? await upload()
    if let last { await leases.release(last) }
    try outcome.get()
  }

  /// Renews a lease until the task is cancelled.
  ///
  /// - Returns: `nil` once another machine has it: this one finishes what it has begun.
  private func kept(_ lease: TierLeases.Lease, _ leases: TierLeases) async -> TierLeases.Lease? {
    var lease = lease
    while (try? await Task.sleep(for: .seconds(leases.renewalSeconds))) != nil {
      do {
        guard let renewed = try await leases.renew(lease) else {
          log.warning("another machine has taken over the lease of a search")
          return nil
        }
        lease = renewed
      } catch {
        log.warning("the lease of a search was not renewed", metadata: ["error": "\(error)"])
      }
    }
    return lease
  }
}

/// What ends while a lease is held.
private enum HeldPart: Sendable {
  case searched(Result<Void, any Error>)
  case kept(TierLeases.Lease?)
}
