import DaemonAPI
import DaemonClient
import DaemonService
import Glibc
import KernelSpec
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

@Suite("The server", .serialized) struct ServerTests {
  @Test("an artifact arrives byte for byte, from the store and from the hot set")
  func artifacts() async throws {
    try await withServer { live in
      let bytes = (0..<20480).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let digest = live.service.store(bytes).hex
      let client = try DaemonClient(socketPath: live.path)
      #expect(try client.artifact(digest) == bytes)
      #expect(try client.artifact(digest) == bytes)
      #expect(live.hotSet.hits == 1)
      let missing = Digest(of: [1]).hex
      let many = try client.artifacts([digest, missing, digest])
      #expect(many == [bytes, nil, bytes])
      #expect(throws: ServiceError.self) { try client.artifact(missing) }
    }
  }

  @Test("a repeated request is answered from memory until its key changes")
  func memo() async throws {
    try await withServer { live in
      live.service.publish("relu(x: f32[4])", revision: 1)
      let client = try DaemonClient(socketPath: live.path)
      let first = try client.resolve(["relu(x: f32[4])"])
      let second = try client.resolve(["relu(x: f32[4])"])
      #expect(first.map(\.revision) == [1] && second.map(\.revision) == [1])
      #expect(live.service.state.withLock { $0.resolved } == 1)
      #expect(second[0].latencyMicroseconds < 1e5)
      live.service.publish("relu(x: f32[4])", revision: 2)
      #expect(try client.resolve(["relu(x: f32[4])"]).map(\.revision) == [2])
      #expect(live.hotSet.takeHits() == [Digest(of: "relu(x: f32[4])".utf8): 1])
    }
  }

  @Test("a miss is asked again")
  func misses() async throws {
    try await withServer { live in
      let client = try DaemonClient(socketPath: live.path)
      #expect(try client.resolve(["x"]).map(\.status) == [.miss])
      #expect(try client.resolve(["x"]).map(\.status) == [.miss])
      #expect(live.service.state.withLock { $0.resolved } == 2)
    }
  }

  @Test("a request that does not say gets the daemon's policy and deadline, another gets its own")
  func defaults() async throws {
    let defaults = RequestDefaults(policy: .tuned, tunedDeadlineMilliseconds: 1500)
    try await withServer(defaults: defaults) { live in
      let client = try DaemonClient(socketPath: live.path)
      let last = { live.service.state.withLock { $0.lastRequest } }
      _ = try client.resolve(["x"])
      #expect(last() == KernelRequest(spec: "x", policy: .tuned, deadlineMilliseconds: 1500))
      _ = try client.resolve(["x"], deadlineMilliseconds: 20)
      #expect(last() == KernelRequest(spec: "x", policy: .tuned, deadlineMilliseconds: 20))
      _ = try client.resolve(["x"], policy: .cached)
      #expect(last() == KernelRequest(spec: "x", policy: .cached))
    }
  }

  @Test("one bad spec in a batch does not spoil the others")
  func batch() async throws {
    try await withServer { live in
      live.service.publish("a", revision: 1)
      let answers = try DaemonClient(socketPath: live.path).resolve(["a", "bad", "b"])
      #expect(answers.map(\.status) == [.hit, .failed, .miss])
      #expect(answers[1].error?.code == .badSpec)
    }
  }

  @Test("foreign bytes are refused with 400 and the connection is closed")
  func foreignBytes() async throws {
    try await withServer { live in
      for bytes in [
        "\u{16}\u{3}\u{1}\u{2}", "*1\r\n$4\r\nPING\r\n", "GETTTTTTTTTTT / HTTP/1.1\r\n",
      ] {
        let connection = try RawConnection(live.path)
        connection.send(bytes)
        #expect(connection.readToEnd().hasPrefix("HTTP/1.1 400 "))
      }
    }
  }

  @Test("half a request is given up after its time")
  func halfRequest() async throws {
    try await withServer(requestSeconds: 0.1) { live in
      let connection = try RawConnection(live.path)
      connection.send("POST /v1/kernels HTTP/1.1\r\nContent-Length: 100\r\n\r\nrelu(")
      #expect(connection.readToEnd().hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test("heads and bodies over the limit are refused")
  func limits() async throws {
    var limits = RequestLimits()
    limits.bodyBytes = 1000
    try await withServer(limits: limits) { live in
      let body = try RawConnection(live.path)
      body.send("POST /v1/kernels HTTP/1.1\r\nContent-Length: 1001\r\n\r\n")
      #expect(body.readToEnd().hasPrefix("HTTP/1.1 413 "))
      let head = try RawConnection(live.path)
      head.send("GET /v1/stats HTTP/1.1\r\nX: " + String(repeating: "a", count: 20000))
      #expect(head.readToEnd().hasPrefix("HTTP/1.1 431 "))
    }
  }

  @Test("a client that stops reading is cut off, and others are served meanwhile")
  func slowReader() async throws {
    try await withServer(requestSeconds: 0.2) { live in
      let digest = live.service.store([UInt8](repeating: 7, count: 1 << 20)).hex
      let slow = try RawConnection(live.path)
      for _ in 0..<16 { slow.send("GET /v1/artifacts/\(digest) HTTP/1.1\r\n\r\n") }
      let client = try DaemonClient(socketPath: live.path)
      #expect(try client.artifact(digest).count == 1 << 20)
      // The server gives up: what it has sent ends before all that was asked for.
      var statistics = try client.statistics()
      while statistics.connections > 1 {
        await Task.yield()
        statistics = try client.statistics()
      }
      #expect(slow.readToEnd().utf8.count < 16 << 20)
    }
  }

  @Test("requests sent at once are answered in order")
  func pipelining() async throws {
    try await withServer { live in
      let connection = try RawConnection(live.path)
      connection.send(
        "GET /v1/greeting HTTP/1.1\r\n\r\nGET /v1/none HTTP/1.1\r\n\r\n"
          + "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
      let answers = connection.readToEnd()
      let statuses = answers.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
      #expect(statuses == ["200", "404", "200"])
      #expect(answers.contains("granary_requests_total"))
    }
  }

  @Test("a client that leaves cancels what waits for it")
  func disconnect() async throws {
    try await withServer { live in
      var connection: RawConnection? = try RawConnection(live.path)
      connection?.send("POST /v1/kernels HTTP/1.1\r\nContent-Length: 4\r\n\r\nwait")
      var moments = live.service.moments.makeAsyncIterator()
      #expect(await moments.next() == "arrived")
      connection = nil
      #expect(await moments.next() == "cancelled")
    }
  }

  @Test("a daemon that stops answers what it has begun and refuses what is new")
  func drain() async throws {
    try await withServer { live in
      let connection = try RawConnection(live.path)
      connection.send("POST /v1/kernels HTTP/1.1\r\nContent-Length: 4\r\n\r\nwait")
      var moments = live.service.moments.makeAsyncIterator()
      #expect(await moments.next() == "arrived")
      await live.group.triggerGracefulShutdown()
      live.service.openGate.finish()
      let answer = connection.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("\"miss\""))
    }
  }

  @Test("progress arrives event by event")
  func progress() async throws {
    try await withServer { live in
      var states: [KernelAnswer.SearchState] = []
      try DaemonClient(socketPath: live.path).tune(TuneRequest(spec: "x")) {
        states.append($0.state)
      }
      #expect(states == [.running, .running, .finished])
    }
  }

  @Test("a second daemon refuses, a stale socket is replaced, and only the owner may connect")
  func oneDaemon() async throws {
    let path = try temporaryFolder() + "/granary.sock"
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #expect(try UnixAddress.with(path) { bind(stale, $0, $1) } == 0)
    close(stale)
    let first = try ListeningSocket.open(path, environment: [:])
    #expect(first.path == path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let error = #expect(throws: ServiceError.self) {
      try ListeningSocket.open(path, environment: [:])
    }
    #expect(error?.code == .conflict)
  }
}
