import DaemonAPI
import DaemonClient
import Testing

extension ServerTests {
  @Test("what another program keeps comes back byte for byte, until it is removed")
  func foreignArtifacts() async throws {
    try await withServer { live in
      let name = "triton.0f-A_1.cubin"
      let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * $0) }
      let held = try await live.ask { client throws(ServiceError) in
        let before = try client.foreign(name)
        try client.keepForeign([1], as: name)
        try client.keepForeign(bytes, as: name)
        return [before, try client.foreign(name)]
      }
      #expect(held == [nil, bytes])
      let removed = try await live.ask { client throws(ServiceError) in
        [try client.removeForeign(name), try client.removeForeign(name)]
      }
      #expect(removed == [true, false])
      #expect(try await live.ask { try $0.foreign(name) } == nil)
    }
  }

  @Test(
    "a name that could be a path, or is too long, is refused",
    arguments: ["a%2F..", "a b", String(repeating: "a", count: 201)])
  func foreignNames(name: String) async throws {
    try await withServer { live in
      await #expect(throws: ServiceError.self) {
        try await live.ask { try $0.keepForeign([1], as: name) }
      }
    }
  }
}
