import DaemonAPI
import DaemonClient
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Bad peers") struct BadPeerTests {
    @Test("foreign bytes get an error or a closed connection, and others are served on")
    func foreignBytesDoNoHarm() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon()
      var random = SystemRandomNumberGenerator()
      let messages: [[UInt8]] = [
        (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) },
        Array("*1\r\n$4\r\nPING\r\n\r\n\r\n".utf8),
        [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3] + [UInt8](repeating: 13, count: 64),
        Array("GET /v1/stats SMTP/9\r\n\r\n".utf8),
        Array("POST /v1/kernels HTTP/1.1\r\nContent-Length: -5\r\n\r\n".utf8),
        Array("POST /v1/kernels HTTP/1.1\r\nContent-Length: 99999999999999\r\n\r\n".utf8),
        [UInt8](repeating: UInt8(ascii: "A"), count: 1 << 20),
      ]
      for message in messages {
        let connection = try RawConnection(home.socket)
        connection.send(message)
        connection.endSending()
        let answer = connection.answer(within: hangLimit)
        let isRefusal = answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 505")
        #expect(answer.isEmpty || isRefusal, "\(answer.prefix(200))")
      }
      #expect(try home.granary("get", "relu(x: f32[9])", "--no-start").status == 0)
      daemon.killNow()
    }

    @Test("half a request and a closed connection leave nothing behind")
    func halfRequestsDoNoHarm() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon()
      for part in ["POST /v1/ker", "POST /v1/kernels HTTP/1.1\r\nContent-Length: 500\r\n\r\nrelu("]
      {
        let connection = try RawConnection(home.socket)
        connection.send(part.utf8)
      }
      // One that hangs up while its baseline is being made.
      try RawConnection(home.socket).ask(for: "softmax(x: f32[20,20], dim: 0)")
      #expect(try home.granary("get", "relu(x: f32[9])", "--no-start").status == 0)
      let isAlone = try eventually(within: hangLimit) {
        try home.statistics()["connections"].number == 1
      }
      #expect(isAlone)
      daemon.killNow()
    }

    @Test("a daemon whose log nobody reads serves on")
    func unreadLogsDoNoHarm() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon("--log-level", "debug")
      // Each miss is a line of some 300 bytes; together they are more than any pipe holds.
      let specs = (1...4000).map { "relu(x: f32[\($0)])" }
      let answers = try home.client(seconds: hangLimit).resolve(specs, policy: .cached)
      #expect(answers.count == specs.count && answers.allSatisfy { $0.status == .miss })
      #expect(try home.granary("get", "relu(x: f32[9])", "--no-start").status == 0)
      daemon.killNow()
    }

    @Test("a client that never reads its answers does not stop the others")
    func silentReadersDoNoHarm() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon()
      #expect(try home.granary("get", "relu(x: f32[9])", "--no-start").status == 0)
      let connection = try RawConnection(home.socket)
      for _ in 0..<40 { connection.ask(for: "relu(x: f32[9])") }
      #expect(try home.granary("get", "relu(x: f32[9])", "--no-start").status == 0)
      #expect(connection.answer(within: hangLimit).hasPrefix("HTTP/1.1 200"))
      daemon.killNow()
    }

    @Test("more clients than the process may have descriptors wait for their turn")
    func tooManyClientsWait() throws {
      let home = try PrivateHome()
      // The least that the daemon starts with.
      let daemon = try ChildProgram(
        "/bin/sh", ["-c", "ulimit -n 256; exec \(Binaries.path("granaryd"))"],
        environment: home.environment)
      #expect(home.isServed(by: daemon))
      var waiting = try (0..<400).map { _ in try RawConnection(home.socket) }
      for connection in waiting { connection.send("GET /v1/greeting HTTP/1.1\r\n\r\n".utf8) }
      while !waiting.isEmpty {
        // Each that is answered makes room for one that waits.
        #expect(waiting.removeFirst().answer(within: hangLimit).hasPrefix("HTTP/1.1 200"))
      }
      #expect(try daemon.stop().status == 0)
    }
  }
}
