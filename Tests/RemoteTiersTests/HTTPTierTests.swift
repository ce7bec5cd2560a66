import KernelSpec
import Support
import Synchronization
import Testing

@testable import RemoteTiers

/// A server in memory that answers as it is told.
private final class ScriptedTransport: HTTPTransport {
  let requests = Mutex<[TierRequest]>([])
  private let answer: @Sendable (TierRequest) throws -> TierAnswer

  init(_ answer: @escaping @Sendable (TierRequest) throws -> TierAnswer) { self.answer = answer }

  func exchange(_ request: TierRequest) throws -> TierAnswer {
    requests.withLock { $0.append(request) }
    return try answer(request)
  }
}

@Suite struct HTTPTierTests {
  private let blob = RemoteAddress.blob(Digest(of: [7]))

  @Test("a status that says nothing is missing, another is a failure, and neither is a value")
  func statuses() async throws {
    for status in [404, 410] {
      let tier = HTTPTier(
        base: "http://x", transport: ScriptedTransport { _ in .init(status: status, body: [7]) })
      #expect(try await tier.get(blob) == nil)
      #expect(try await !tier.contains(blob))
    }
    for status in [0, 206, 301, 302, 307, 401, 403, 500, 503] {
      let tier = HTTPTier(
        base: "http://x", transport: ScriptedTransport { _ in .init(status: status, body: [7]) })
      await #expect(throws: GranaryError.self) { try await tier.get(blob) }
      await #expect(throws: GranaryError.self) { try await tier.put([7], at: blob) }
    }
  }

  @Test("wrong bytes of a blob are missing") func wrongBytes() async throws {
    let tier = HTTPTier(
      base: "http://x", transport: ScriptedTransport { _ in .init(status: 200, body: [8]) })
    #expect(try await tier.get(blob) == nil)
  }

  @Test("addresses become paths as servers have them, and the token goes in a header only")
  func requests() async throws {
    let transport = ScriptedTransport { _ in .init(status: 200, body: [7]) }
    let flat = HTTPTier(base: "http://x/", token: "hush", transport: transport)
    let sharded = HTTPTier(
      base: "http://x/b", layout: .sharded,
      signing: AWSSigning(region: "r", accessKey: "k", secret: "hush"), transport: transport)
    _ = try await flat.get(blob)
    try await sharded.put([7], at: blob)
    let sent = transport.requests.withLock { $0 }
    let hex = Digest(of: [7]).hex
    #expect(sent.map(\.url) == ["http://x/cas/\(hex)", "http://x/b/cas/\(hex.prefix(2))/\(hex)"])
    #expect(sent[0].headers.contains("Authorization: Bearer hush"))
    #expect(sent[1].headers.contains("If-None-Match: *"))
    #expect(
      !"\(flat.name) \(sharded.name) \(sent[1].signing.map(\.description) ?? "")".contains("hush"))
    let failing = HTTPTier(
      base: "http://x", token: "hush",
      transport: ScriptedTransport { _ in .init(status: 500, body: []) })
    let error = await #expect(throws: GranaryError.self) { try await failing.get(blob) }
    #expect(error?.description.contains("hush") == false)
  }

  @Test("a server that nobody runs is a failure that says so")
  func nobody() async throws {
    let tier = HTTPTier(base: "http://127.0.0.1:9", timeoutSeconds: 5)
    let error = await #expect(throws: GranaryError.self) { try await tier.get(blob) }
    #expect(error?.code == .tierFailed)
  }
}
