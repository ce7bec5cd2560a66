import Glibc
import KernelSpec
import Support
import TestSupport
import Testing

@testable import RemoteTiers

/// What leases promise in every tier that has conditions.
struct LeaseConformance {
  let tier: any ConditionalTier
  private let key = Digest(of: [1])

  func run() async throws {
    try await conditions()
    try await oneHolder()
    try await takeover()
  }

  private func conditions() async throws {
    let address = RemoteAddress.record(key: Digest(of: [9, 9]))
    let nothing = try await tier.see(address)
    #expect(nothing.bytes == nil)
    #expect(try await tier.replace(nothing, with: [1], at: address))
    #expect(try await !tier.replace(nothing, with: [2], at: address))
    let first = try await tier.see(address)
    #expect(first.bytes == [1])
    #expect(try await tier.replace(first, with: [3], at: address))
    #expect(try await !tier.replace(first, with: [4], at: address))
    #expect(try await tier.get(address) == [3])
  }

  private func oneHolder() async throws {
    let time = ManualTime()
    let machines = (0..<6).map { _ in TierLeases(tier, seconds: 60, time: time) }
    let held = try await withThrowingTaskGroup(of: (Int, TierLeases.Lease)?.self) { group in
      for (number, machine) in machines.enumerated() {
        group.addTask {
          guard case .held(let lease) = await machine.take(key) else { return nil }
          return (number, lease)
        }
      }
      var held: [(Int, TierLeases.Lease)] = []
      for try await lease in group { if let lease { held.append(lease) } }
      return held
    }
    #expect(held.count == 1)
    guard let (holder, lease) = held.first else { return }
    for (number, machine) in machines.enumerated() where number != holder {
      guard case .elsewhere = await machine.take(key) else {
        Issue.record("machine \(number) has it too")
        return
      }
    }
    await machines[holder].release(lease)
    guard case .held(let next) = await machines[(holder + 1) % 6].take(key) else {
      Issue.record("nobody can take what was given back")
      return
    }
    await machines[(holder + 1) % 6].release(next)
  }

  private func takeover() async throws {
    let time = ManualTime()
    let first = TierLeases(tier, seconds: 60, time: time)
    let second = TierLeases(tier, seconds: 60, time: time)
    guard case .held(var lease) = await first.take(key) else {
      Issue.record("the lease is not free")
      return
    }
    for _ in 0..<5 {
      guard case .elsewhere(let seconds) = await second.take(key) else {
        Issue.record("a lease that is renewed was taken")
        return
      }
      #expect(seconds > 0 && seconds <= 60)
      time.advance(seconds: 50)
      lease = try #require(try await first.renew(lease))
    }
    _ = await second.take(key)
    time.advance(seconds: 61)
    guard case .held = await second.take(key) else {
      Issue.record("nobody takes over from a silent holder")
      return
    }
    #expect(try await first.renew(lease) == nil)
  }
}

@Suite("Leases in tiers") struct TierLeasesTests {
  @Test("a directory has one holder at a time, and the next when that is silent")
  func directory() async throws {
    let folder = TemporaryFolder()
    try await LeaseConformance(tier: SharedDirectoryTier(root: folder.path)).run()
  }

  @Test("what is no lease keeps nobody from taking it")
  func garbage() async throws {
    let folder = TemporaryFolder()
    let tier = SharedDirectoryTier(root: folder.path)
    let key = Digest(of: [1])
    try await tier.put(Array("garbage".utf8), at: TierLeases.address(of: key))
    guard case .held = await TierLeases(tier, seconds: 60).take(key) else {
      Issue.record("garbage holds a lease")
      return
    }
  }
}
