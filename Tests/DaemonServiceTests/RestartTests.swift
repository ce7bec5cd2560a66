import DaemonAPI
import DaemonClient
import DaemonService
import Glibc
import ServiceLifecycle
import Support
import TestSupport
import Testing

/// What clients see while one daemon follows another.
@Suite struct RestartTests {
  private static let request = "POST /v1/kernels HTTP/1.1\r\nContent-Length: 4\r\n\r\nhold"

  @Test(
    "a request that outlives the drain is told to ask the next daemon, and what it comes to is dropped"
  )
  func overdue() async throws {
    var options = HTTPServer.Options()
    options.patience.drain = .milliseconds(20)
    try await withServer(options: options) { live in
      let connection = try RawConnection(live.path)
      connection.send(Self.request)
      var moments = live.service.moments.makeAsyncIterator()
      #expect(await moments.next() == "arrived")
      await live.group.triggerGracefulShutdown()
      let answer = try await connection.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("\"shutting-down\""))
      #expect(answer.lowercased().contains("connection: close"))
      live.service.openGate.finish()
      #expect(await moments.next() == "cancelled")
    }
  }

  @Test(
    "a client whose request a daemon refuses or cuts off while it stops is answered by the next one"
  )
  func retried() async throws {
    let refusal = "{\"code\":\"shutting-down\",\"message\":\"the end\",\"who\":\"environment\"}"
    let refused =
      "HTTP/1.1 503 Service Unavailable\r\ncontent-length: \(refusal.utf8.count)\r\n"
      + "connection: close\r\n\r\n" + refusal
    for ends in [[refused], [""], ["HTTP/1.1 200 OK\r\ncontent-le"], ["", refused, refused, ""]] {
      let answer = try await asked(ends + [Self.greeting])
      #expect(try answer.get().version == "the next")
    }
  }

  @Test("a client does not go on for ever with daemons that end without an answer")
  func ends() async throws {
    let answer = try await asked([String](repeating: "", count: 8))
    #expect(throws: ServiceError.self) { try answer.get() }
  }

  private static let greeting: String = {
    let greeting = Greeting(
      version: "the next", processIdentifier: 1, startedAt: 0, defaultPolicy: .baseline,
      tunedDeadlineSeconds: 1)
    let body = (try? WireJSON.encode(greeting)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return "HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
  }()

  /// What a client is greeted with by daemons that read one request each, say this and close.
  private func asked(_ answers: [String]) async throws -> Result<Greeting, any Error> {
    let folder = TemporaryFolder()
    let path = folder.file("daemon.sock")
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let bound = try UnixAddress.with(path) { bind(listener, $0, $1) }
    try #require(bound == 0 && listen(listener, 16) == 0)
    return try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await OwnThread.run {
          for answer in answers {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            var bytes = [UInt8](repeating: 0, count: 4096)
            _ = recv(connection, &bytes, bytes.count, 0)
            _ = send(connection, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
            close(connection)
          }
        }
      }
      let result = try await OwnThread.run {
        Result { try DaemonClient(socketPath: path, timeoutSeconds: hangLimit).greeting() }
      }
      // Nobody comes any more.
      shutdown(listener, Int32(SHUT_RDWR))
      try await group.waitForAll()
      close(listener)
      withExtendedLifetime(folder) {}
      return result
    }
  }
}
