package import KernelSpec
import Synchronization

/// What is served from memory, on the server's loop: decompressed artifacts as complete HTTP responses, and the
/// answers to requests that came before, byte for byte.
///
/// Bounded in bytes. Safe to use from every thread; a lock is held for about a hundred nanoseconds.
package final class HotSet: Sendable {
  /// The size of a request's body beyond which no answer is kept: others would wait while it is hashed.
  static let memoBodyLimitBytes = 1 << 20

  /// An artifact as it is sent.
  struct HotArtifact {
    /// The complete response.
    let response: [UInt8]
    /// Where in the response the artifact begins.
    let bodyStart: Int

    /// The artifact itself, sharing the memory of the response.
    var body: ArraySlice<UInt8> { response[bodyStart...] }
  }

  /// An answer that holds until one of its keys changes.
  struct Memo {
    let fingerprint: RequestFingerprint
    /// The target and the body of the request, to compare.
    let request: [UInt8]
    /// The complete response.
    let response: [UInt8]
    /// Where in the response the latencies are, each `PreparedAnswer.slotWidth` wide.
    let slots: [Int]
    let keys: [Digest]
    /// How often it was served since its hits were last counted.
    var uses = 0
  }

  private struct State {
    var artifacts: RecentlyUsed<ArtifactAddress, HotArtifact>
    var memos: RecentlyUsed<RequestFingerprint, Memo>
    var memosOfKey: [Digest: Set<RequestFingerprint>] = [:]
    /// Grows with each change of a key.
    var generation = 0
    var hits = 0
    /// Hits of memos that are gone, by key.
    var uncounted: [Digest: Int] = [:]
  }

  private let state: Mutex<State>

  /// - Parameter capacityBytes: seven eighths are for artifacts, the rest for answers.
  package init(capacityBytes: Int) {
    state = Mutex(
      State(
        artifacts: RecentlyUsed(capacity: capacityBytes / 8 * 7),
        memos: RecentlyUsed(capacity: capacityBytes / 8)))
  }

  package var bytes: Int { state.withLock { $0.artifacts.cost + $0.memos.cost } }
  package var hits: Int { state.withLock { $0.hits } }

  /// To be read before an answer is computed, and given when it is kept.
  package var generation: Int { state.withLock { $0.generation } }

  func artifact(_ address: ArtifactAddress) -> HotArtifact? {
    state.withLock {
      let found = $0.artifacts.use(address)
      if found != nil { $0.hits += 1 }
      return found
    }
  }

  /// Many artifacts at the price of one lock.
  func artifacts(_ addresses: [ArtifactAddress]) -> [HotArtifact?] {
    state.withLock { state in addresses.map { state.artifacts.use($0) } }
  }

  func keep(_ artifact: HotArtifact, for address: ArtifactAddress) {
    state.withLock {
      _ = $0.artifacts.insert(artifact, for: address, cost: artifact.response.count + 128)
    }
  }

  func memo(
    _ fingerprint: RequestFingerprint, target: UnsafeRawBufferPointer,
    body: UnsafeRawBufferPointer
  ) -> Memo? {
    state.withLock { state in
      guard let memo = state.memos.use(fingerprint), memo.isAnswer(to: target, body) else {
        return nil
      }
      state.memos.update(fingerprint) { $0.uses += 1 }
      state.hits += memo.keys.count
      return memo
    }
  }

  /// Keeps `memo` unless a key has changed since `generation` was read.
  func keep(_ memo: Memo, since generation: Int) {
    state.withLock { state in
      guard state.generation == generation else { return }
      let cost =
        memo.request.count + memo.response.count + 64 * memo.keys.count + 256
      for dropped in state.memos.insert(memo, for: memo.fingerprint, cost: cost) {
        Self.forget(dropped, &state)
      }
      for key in memo.keys { state.memosOfKey[key, default: []].insert(memo.fingerprint) }
    }
  }

  /// Drops every answer that names `key`.
  package func invalidate(_ key: Digest) {
    state.withLock { state in
      state.generation += 1
      for fingerprint in state.memosOfKey.removeValue(forKey: key) ?? [] {
        if let memo = state.memos.remove(fingerprint) { Self.forget(memo, &state) }
      }
    }
  }

  /// The hits since the last call, by key.
  package func takeHits() -> [Digest: Int] {
    state.withLock { state in
      var counted = state.uncounted
      state.uncounted = [:]
      state.memos.updateAll { memo in
        guard memo.uses > 0 else { return }
        for key in memo.keys { counted[key, default: 0] += memo.uses }
        memo.uses = 0
      }
      return counted
    }
  }

  private static func forget(_ memo: Memo, _ state: inout State) {
    for key in memo.keys {
      if memo.uses > 0 { state.uncounted[key, default: 0] += memo.uses }
      state.memosOfKey[key]?.remove(memo.fingerprint)
      if state.memosOfKey[key]?.isEmpty == true { state.memosOfKey[key] = nil }
    }
  }
}

extension HotSet.Memo {
  /// Whether the memo was made for exactly these bytes.
  func isAnswer(to target: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer) -> Bool {
    guard request.count == target.count + body.count else { return false }
    return request.withUnsafeBytes { bytes in
      UnsafeRawBufferPointer(rebasing: bytes[..<target.count]).hasSameBytes(target)
        && UnsafeRawBufferPointer(rebasing: bytes[target.count...]).hasSameBytes(body)
    }
  }
}
