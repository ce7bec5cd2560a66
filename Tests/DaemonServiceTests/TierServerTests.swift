import FoundationEssentials
import Glibc
import KernelSpec
import Logging
import RemoteTiers
import ServiceLifecycle
import Support
import Synchronization
import TestSupport
import Testing

@testable import DaemonService

private let secret = "a-long-enough-secret"

/// A server of values on a port of the loopback interface.
private struct LiveTier: Sendable {
  let address: String
  let folder: String
  let counters: ServerCounters

  func tier(_ token: String? = secret) -> HTTPTier {
    HTTPTier(base: "http://\(address)", token: token, timeoutSeconds: hangLimit)
  }

  func exchange(_ text: String) async throws -> String {
    try await exchange(Array(text.utf8))
  }

  /// Sends bytes and returns everything until the server closes, or has nothing more to say.
  func exchange(_ bytes: [UInt8]) async throws -> String {
    let port = UInt16(address.split(separator: ":").last ?? "") ?? 0
    return try await OwnThread.run {
      let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(connection) }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let connected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      try #require(connected == 0)
      _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      shutdown(connection, Int32(SHUT_WR))
      var all: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 65536)
      while case let count = recv(connection, &piece, piece.count, 0), count > 0 {
        all += piece[..<count]
      }
      return String(decoding: all, as: UTF8.self)
    }
  }
}

private func withTier(
  takesAnyRecords: Bool = false, isReadOnly: Bool = false, own: [RemoteAddress: [UInt8]] = [:],
  options change: @Sendable (inout HTTPServer.Options) -> Void = { _ in },
  _ body: @escaping @Sendable (LiveTier) async throws -> Void
) async throws {
  let temporary = TemporaryFolder()
  let folder = temporary.path
  let shelf = isReadOnly ? nil : try ValueShelf(root: folder + "/served", limitBytes: 64 << 20)
  let router = TierRouter(source: { own[$0] }, shelf: shelf, takesAnyRecords: takesAnyRecords)
  var options = HTTPServer.Options()
  options.access = .network(token: AccessToken(secret), identity: nil)
  change(&options)
  let logger = Logger(label: "test") { JSONLogHandler(label: $0, level: .critical) }
  let listener = try ListeningSocket.open(try #require(NetworkAddress(parsing: "127.0.0.1:0")))
  let server = HTTPServer(
    listener: listener, responder: router, options: options, logger: logger)
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: [server], logger: logger))
  let live = LiveTier(address: listener.name, folder: folder, counters: router.counters)
  try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    do {
      try await body(live)
    } catch {
      await group.triggerGracefulShutdown()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
  }
}

private let authorization = "Authorization: Bearer \(secret)\r\n"

@Suite("The server of values") struct TierServerTests {
  @Test("what Granary's own client puts, it gets back; a large value too")
  func roundTrip() async throws {
    try await withTier(takesAnyRecords: true) { live in
      let tier = live.tier()
      for content in [[], Array("kernel".utf8), [UInt8](repeating: 7, count: 5 << 20)] {
        let address = RemoteAddress.blob(Digest(of: content))
        try await tier.put(content, at: address)
        #expect(try await tier.get(address) == content)
        #expect(try await tier.contains(address))
      }
      let record = RemoteAddress.record(key: Digest(of: [1]))
      #expect(try await tier.get(record) == nil)
      try await tier.put([1], at: record)
      try await tier.put([2], at: record)
      #expect(try await tier.get(record) == [2])
    }
  }

  @Test("of those who put under one condition at once one succeeds, and the others are told")
  func conditions() async throws {
    try await withTier(takesAnyRecords: true) { live in
      let path = "/ac/\(Digest(of: [5]))"
      func put(_ value: String, _ condition: String) async throws -> String {
        try await live.exchange(
          "PUT \(path) HTTP/1.1\r\n\(authorization)\(condition)Content-Length: 1\r\n"
            + "Connection: close\r\n\r\n\(value)")
      }
      #expect(try await put("a", "If-Match: *\r\n").hasPrefix("HTTP/1.1 412 "))
      let answers = try await withThrowingTaskGroup(of: String.self) { group in
        for value in ["a", "b", "c", "d"] {
          group.addTask { try await put(value, "If-None-Match: *\r\n") }
        }
        return try await group.reduce(into: [String]()) { $0.append($1) }
      }
      #expect(answers.count { $0.hasPrefix("HTTP/1.1 200 ") } == 1)
      #expect(answers.count { $0.hasPrefix("HTTP/1.1 412 ") } == 3)
      let tier = live.tier()
      let seen = try await tier.see(.record(key: Digest(of: [5])))
      let tag = try #require(seen.version)
      #expect(tag == "\"\(Digest(of: try #require(seen.bytes)))\"")
      #expect(try await put("e", "If-Match: \"other\"\r\n").hasPrefix("HTTP/1.1 412 "))
      #expect(try await put("e", "If-Match: W/\(tag)\r\n").hasPrefix("HTTP/1.1 412 "))
      #expect(try await put("e", "If-Match: \"x\", \(tag)\r\n").hasPrefix("HTTP/1.1 200 "))
      #expect(try await put("f", "If-Match: \(tag)\r\n").hasPrefix("HTTP/1.1 412 "))
      let twice = "If-Match: *\r\nIf-Match: *\r\n"
      #expect(try await put("f", twice).hasPrefix("HTTP/1.1 400 "))
      #expect(try await tier.get(.record(key: Digest(of: [5]))) == Array("e".utf8))
    }
  }

  @Test("of machines that share a serving daemon one at a time has a lease")
  func leases() async throws {
    try await withTier { live in
      let machines = (0..<4).map { _ in TierLeases(live.tier(), seconds: 60) }
      let key = Digest(of: [6])
      let held = await withTaskGroup(of: TierLeases.Lease?.self) { group in
        for machine in machines {
          group.addTask {
            guard case .held(let lease) = await machine.take(key) else { return nil }
            return lease
          }
        }
        return await group.reduce(into: [TierLeases.Lease]()) { held, lease in
          if let lease { held.append(lease) }
        }
      }
      #expect(held.count == 1)
    }
  }

  @Test("nothing is said, and no body read, without the token")
  func token() async throws {
    let blob = RemoteAddress.blob(Digest(of: [7]))
    try await withTier(own: [blob: [7]]) { live in
      #expect(try await live.tier().get(blob) == [7])
      for wrong in [nil, "", "a-long-enough-secreu", secret + "x", String(secret.dropLast())] {
        await #expect(throws: GranaryError.self) { try await live.tier(wrong).get(blob) }
      }
      // The password of basic authentication is the token, as ccache and bazel send it.
      let basic = Data("any:\(secret)".utf8).base64EncodedString()
      let path = "GET /cas/\(blob.digest.hex) HTTP/1.1\r\n"
      let answer = try await live.exchange("\(path)Authorization: Basic \(basic)\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
      for header in ["Basic \(secret)", "Basic !!", "Digest \(secret)", secret, "Bearer"] {
        let answer = try await live.exchange("\(path)Authorization: \(header)\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 401 ") && answer.contains("www-authenticate"))
        #expect(!answer.contains(secret))
      }
      // The head alone is answered: the server does not wait for what it would not take.
      let early = try await live.exchange(
        "PUT /cas/\(blob.digest.hex) HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n")
      #expect(early.hasPrefix("HTTP/1.1 401 "))
    }
  }

  @Test("only exactly an address is a path")
  func paths() async throws {
    let hex = Digest(of: [7]).hex
    try await withTier(own: [.blob(Digest(of: [7])): [7]]) { live in
      for path in [
        "/", "/ac", "/ac/", "/cas/", "/cas/\(hex)/", "/cas//\(hex)", "/cas/\(hex)?x=1",
        "/cas/../cas/\(hex)", "/cas/..%2f\(hex.dropFirst(5))", "/x/cas/\(hex)",
        "/cas/\(hex.uppercased())", "/cas/\(hex.dropLast())", "/cas/\(hex)0",
        "/cas/../../../../../../../../../../../../../etc/passwd", "/v1/greeting", "/metrics",
      ] {
        for method in ["GET", "PUT", "HEAD"] {
          let answer = try await live.exchange(
            "\(method) \(path) HTTP/1.1\r\n\(authorization)Content-Length: 0\r\n\r\n")
          #expect(answer.hasPrefix("HTTP/1.1 404 "), "\(method) \(path): \(answer)")
        }
      }
      let other = try await live.exchange("DELETE /cas/\(hex) HTTP/1.1\r\n\(authorization)\r\n")
      #expect(other.hasPrefix("HTTP/1.1 405 "))
      #expect(!FileManager.default.fileExists(atPath: live.folder + "/served"))
    }
  }

  @Test("HEAD says how long a value is, and sends none of it")
  func head() async throws {
    let blob = RemoteAddress.blob(Digest(of: Array("value".utf8)))
    try await withTier(own: [blob: Array("value".utf8)]) { live in
      let answer = try await live.exchange(
        "HEAD /cas/\(blob.digest.hex) HTTP/1.1\r\n\(authorization)\r\n")
      #expect(answer.contains("content-length: 5\r\n") && answer.hasSuffix("\r\n\r\n"))
    }
  }

  @Test("a body under a wrong digest, too long, or beyond what there is room for is refused")
  func bodies() async throws {
    let wrong = Digest(of: [1]).hex
    try await withTier(options: { options in
      options.limits.bodyBytes = 1000
      options.limits.allBodiesBytes = 500
    }) { live in
      func status(_ length: Int, _ body: String) async throws -> String {
        let answer = try await live.exchange(
          "PUT /cas/\(wrong) HTTP/1.1\r\n\(authorization)Content-Length: \(length)\r\n\r\n\(body)")
        return String(answer.dropFirst(9).prefix(3))
      }
      for (length, body, expected) in [
        (3, "abc", "400"), (1001, "", "413"), (501, "", "503"),
        // What a client took of the room and left is free again.
        (400, "half", ""), (400, "half", ""), (400, "half", ""), (3, "abc", "400"),
      ] {
        let answered = try await status(length, body)
        #expect(answered == expected)
      }
    }
  }

  @Test("a body that never comes ends the connection")
  func slowBodies() async throws {
    try await withTier(options: { $0.patience.request = .milliseconds(50) }) { live in
      // The client half-closes only when it has nothing to send, so this one waits for the server.
      let answer = try await live.exchange(
        "PUT /cas/\(Digest(of: [1]).hex) HTTP/1.1\r\n\(authorization)Content-Length: 9\r\n\r\nx")
      #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 "))
      while live.counters.connections != 0 { await Task.yield() }
    }
  }

  @Test("an action result is taken when it is one, and given when all that it names is here")
  func actionResults() async throws {
    let file = Array("output".utf8)
    let result = ActionResult(
      files: [.init(path: "out", digest: Digest(of: file), sizeBytes: file.count)],
      standardOutput: [])
    let address = RemoteAddress.record(key: Digest(of: [1]))
    try await withTier { live in
      let tier = live.tier()
      await #expect(throws: GranaryError.self) {
        try await tier.put(Array("no result".utf8), at: address)
      }
      try await tier.put(result.encoded(), at: address)
      #expect(try await tier.get(address) == nil)
      try await tier.put(file, at: .blob(Digest(of: file)))
      #expect(try await tier.get(address) == result.encoded())
    }
  }

  @Test("a server that takes nothing says so, and what the store has wins over what clients put")
  func precedence() async throws {
    let record = RemoteAddress.record(key: Digest(of: [1]))
    try await withTier(isReadOnly: true) { live in
      let answer = try await live.exchange(
        "PUT /ac/\(record.digest.hex) HTTP/1.1\r\n\(authorization)Content-Length: 0\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains("serve_writes"))
    }
    try await withTier(takesAnyRecords: true, own: [record: [1]]) { live in
      try await live.tier().put([2], at: record)
      #expect(try await live.tier().get(record) == [1])
    }
  }

  @Test("random changes to requests never stop it, and never change a value that is there")
  func fuzz() async throws {
    let seed = UInt64(20_261_124)
    let value = Array("value".utf8)
    let hex = Digest(of: value).hex
    let corpus = [
      "GET /cas/\(hex) HTTP/1.1\r\n\(authorization)\r\n",
      "HEAD /ac/\(hex) HTTP/1.1\r\n\(authorization)\r\n",
      "PUT /cas/\(hex) HTTP/1.1\r\n\(authorization)Content-Length: 5\r\n\r\nvalue",
      "PUT /ac/\(hex) HTTP/1.1\r\n\(authorization)Content-Length: 4\r\n\r\n\u{12}\u{2}\u{0A}\u{0}",
      "PUT /cas/\(hex) HTTP/1.1\r\n\(authorization)Expect: 100-continue\r\nContent-Length: 5\r\n\r\nvalue",
    ].map { Array($0.utf8) }
    try await withTier { live in
      var random = SeededRandom(seed: seed)
      try await live.tier().put(value, at: .blob(Digest(of: value)))
      for round in 0..<400 {
        var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
        for _ in 0..<Int.random(in: 1...5, using: &random) where !bytes.isEmpty {
          let position = Int.random(in: 0..<bytes.count, using: &random)
          switch Int.random(in: 0..<3, using: &random) {
          case 0: bytes[position] = UInt8.random(in: 0...255, using: &random)
          case 1: bytes.remove(at: position)
          default: bytes.insert(contentsOf: bytes[position...].prefix(9), at: position)
          }
        }
        let answer = try await live.exchange(bytes)
        #expect(
          answer.isEmpty || answer.hasPrefix("HTTP/1.1 "), "seed \(seed), round \(round): \(bytes)")
        #expect(!answer.hasPrefix("HTTP/1.1 5") || answer.hasPrefix("HTTP/1.1 505"), "\(answer)")
      }
      #expect(try await live.tier().get(.blob(Digest(of: value))) == value)
    }
  }
}
