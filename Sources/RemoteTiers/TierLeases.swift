import FoundationEssentials
package import KernelSpec
package import Support
import Synchronization

/// Leases that machines take in the tier that they share, so that one of them at a time does what all would do.
///
/// A lease is a record that is put only if it is still as it was seen. Its holder changes it again and again; one that
/// does not change for as long as it says is over, by the clock of whoever waits, so clocks need not agree. Leases
/// save work and protect nothing: a tier that lies about them, or that knows no conditions, costs time only.
package final class TierLeases: Sendable {
  /// A lease of this machine.
  package struct Lease: Sendable {
    let address: RemoteAddress
    var seen: SeenRecord
    var turn: Int
  }

  package enum Attempt: Sendable {
    case held(Lease)
    /// Another machine has it; it is worth to ask again after this time.
    case elsewhere(seconds: Double)
    /// The tier does not answer, so nobody can know.
    case unknown
  }

  private struct Content: Codable, Equatable {
    /// The version of the format.
    var granaryLease = 1
    var holder: String
    /// Changes each time.
    var turn: Int
    /// How long it holds without a change; 0 for one that was given back.
    var seconds: Double
  }

  private struct Sighting {
    var bytes: [UInt8]
    var since: Double
  }

  private let tier: any ConditionalTier
  private let seconds: Double
  private let time: any TimeSource
  private let holder: String
  private let sightings = Mutex<[RemoteAddress: Sighting]>([:])

  /// - Parameter seconds: how long a lease holds when its holder is heard of no more.
  package init(_ tier: any ConditionalTier, seconds: Double, time: any TimeSource = SystemTime()) {
    self.tier = tier
    self.seconds = seconds
    self.time = time
    holder = String(UInt64.random(in: 0...UInt64.max), radix: 16)
  }

  /// How often its holder must renew a lease.
  package var renewalSeconds: Double { seconds / 3 }

  /// Takes the lease of a key if nobody has it, or if its holder was not heard of for long enough.
  package func take(_ key: Digest) async -> Attempt {
    let address = Self.address(of: key)
    do {
      let seen = try await tier.see(address)
      if let left = secondsLeft(seen, address) { return .elsewhere(seconds: left) }
      let lease = Lease(address: address, seen: seen, turn: 0)
      guard let taken = try await put(lease, seconds: seconds) else {
        return .elsewhere(seconds: renewalSeconds)
      }
      return .held(taken)
    } catch {
      return .unknown
    }
  }

  /// Says that the holder lives.
  ///
  /// - Returns: the lease as it is now; `nil` when another machine has taken it over.
  package func renew(_ lease: Lease) async throws -> Lease? {
    try await put(lease, seconds: seconds)
  }

  /// Gives the lease back, so that nobody waits for its end.
  package func release(_ lease: Lease) async { _ = try? await put(lease, seconds: 0) }

  static func address(of key: Digest) -> RemoteAddress {
    .record(key: Digest(of: Array("granary-lease-1".utf8) + key.bytes))
  }

  /// How long another holder's lease still holds; `nil` when it may be taken.
  private func secondsLeft(_ seen: SeenRecord, _ address: RemoteAddress) -> Double? {
    guard let bytes = seen.bytes, let content = Self.decode(bytes), content.holder != holder,
      content.seconds > 0
    else {
      sightings.withLock { $0[address] = nil }
      return nil
    }
    let now = time.monotonicSeconds
    let since = sightings.withLock { sightings in
      if let known = sightings[address], known.bytes == bytes { return known.since }
      sightings[address] = Sighting(bytes: bytes, since: now)
      return now
    }
    // Nobody makes this machine wait for longer than an hour.
    let left = since + min(content.seconds, 3600) - now
    return left > 0 ? min(left, max(1, renewalSeconds)) : nil
  }

  /// - Returns: the lease with its new state; `nil` when somebody else was there first.
  private func put(_ lease: Lease, seconds: Double) async throws -> Lease? {
    var next = lease
    next.turn += 1
    let content = Content(holder: holder, turn: next.turn, seconds: seconds)
    let bytes = try Self.encode(content)
    guard try await tier.replace(lease.seen, with: bytes, at: lease.address) else { return nil }
    // A tier without conditions keeps what came last: who reads itself back may believe to be alone.
    next.seen = try await tier.see(lease.address)
    return next.seen.bytes == bytes ? next : nil
  }

  /// An action result, which servers that check such values take, with JSON as its standard output.
  private static func encode(_ content: Content) throws -> [UInt8] {
    let json = try JSONEncoder().encode(content)
    return ActionResult(files: [], standardOutput: Array(json)).encoded()
  }

  private static func decode(_ bytes: [UInt8]) -> Content? {
    guard let result = ActionResult(decoding: bytes),
      let content = try? JSONDecoder().decode(Content.self, from: Data(result.standardOutput)),
      content.granaryLease == 1
    else { return nil }
    return content
  }
}
