import KernelSpec
import Support
import Testing

@testable import RemoteTiers

/// What every tier promises. Each kind of tier runs all of it.
struct TierConformance {
  let tier: any RemoteTier
  private let bytes = Array("a kernel".utf8)

  func run() async throws {
    try await missing()
    try await roundTrip()
    try await replacement()
    try await refusal()
  }

  private func missing() async throws {
    for space in RemoteAddress.Space.allCases {
      let address = RemoteAddress(space: space, digest: Digest(of: [1, 2, 3]))
      #expect(try await tier.get(address) == nil)
      #expect(try await !tier.contains(address))
    }
  }

  private func roundTrip() async throws {
    for content in [[], bytes, [UInt8](repeating: 7, count: 1 << 20)] {
      let digest = Digest(of: content)
      for address in [RemoteAddress.blob(digest), .record(key: digest)] {
        try await tier.put(content, at: address)
        #expect(try await tier.get(address) == content)
        #expect(try await tier.contains(address))
      }
    }
  }

  private func replacement() async throws {
    let address = RemoteAddress.record(key: Digest(of: bytes))
    try await tier.put([1], at: address)
    try await tier.put([2], at: address)
    #expect(try await tier.get(address) == [2])
    try await tier.put(bytes, at: .blob(Digest(of: bytes)))
    try await tier.put(bytes, at: .blob(Digest(of: bytes)))
    #expect(try await tier.get(.blob(Digest(of: bytes))) == bytes)
  }

  private func refusal() async throws {
    let other = RemoteAddress.blob(Digest(of: [9]))
    let wrong = await #expect(throws: GranaryError.self) { try await tier.put(bytes, at: other) }
    #expect(wrong?.code == .tierWrongBytes)
    #expect(try await tier.get(other) == nil)
    let long = [UInt8](repeating: 0, count: (1 << 20) + 1)
    let large = await #expect(throws: GranaryError.self) {
      try await tier.put(long, at: .record(key: Digest(of: [9])))
    }
    #expect(large?.code == .tooLarge)
  }
}
