import DaemonAPI
import DaemonClient
import DaemonService
import Glibc
import KernelSpec
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing

@Suite("The server") struct ServerTests {
  @Test("an artifact arrives byte for byte, from the store and from the hot set")
  func artifacts() async throws {
    try await withServer { live in
      let bytes = (0..<20480).map { UInt8(truncatingIfNeeded: $0 &* 31) }
      let digest = live.service.store(bytes).hex
      let twice = try await live.ask { try [$0.artifact(digest), $0.artifact(digest)] }
      #expect(twice == [bytes, bytes])
      #expect(live.hotSet.hits == 1)
      let missing = Digest(of: [1]).hex
      let many = try await live.ask { try $0.artifacts([digest, missing, digest]) }
      #expect(many == [bytes, nil, bytes])
      await #expect(throws: ServiceError.self) { try await live.ask { try $0.artifact(missing) } }
    }
  }

  @Test("a repeated request is answered from memory until its key changes")
  func memo() async throws {
    try await withServer { live in
      let resolve = { try await live.ask { try $0.resolve(["relu(x: f32[4])"])[0] } }
      live.service.publish("relu(x: f32[4])", revision: 1)
      let (first, second) = (try await resolve(), try await resolve())
      #expect(first.revision == 1 && second.revision == 1)
      #expect(live.service.state.withLock { $0.resolved } == 1)
      live.service.publish("relu(x: f32[4])", revision: 2)
      let third = try await resolve()
      #expect(third.revision == 2)
      #expect(live.hotSet.takeHits() == [Digest(of: "relu(x: f32[4])".utf8): 1])
    }
  }

  @Test("a miss is asked again")
  func misses() async throws {
    try await withServer { live in
      let statuses = try await live.ask { client in
        try (0..<2).map { _ in try client.resolve(["x"])[0].status }
      }
      #expect(statuses == [.miss, .miss])
      #expect(live.service.state.withLock { $0.resolved } == 2)
    }
  }

  @Test("a request that does not say gets the daemon's policy and deadline, another gets its own")
  func defaults() async throws {
    let defaults = RequestDefaults(policy: .tuned, tunedDeadlineMilliseconds: 1500)
    try await withServer(defaults: defaults) { live in
      let last = { live.service.state.withLock { $0.lastRequest } }
      _ = try await live.ask { try $0.resolve(["x"]) }
      #expect(last() == KernelRequest(spec: "x", policy: .tuned, deadlineMilliseconds: 1500))
      _ = try await live.ask { try $0.resolve(["x"], deadlineMilliseconds: 20) }
      #expect(last() == KernelRequest(spec: "x", policy: .tuned, deadlineMilliseconds: 20))
      _ = try await live.ask { try $0.resolve(["x"], policy: .cached) }
      #expect(last() == KernelRequest(spec: "x", policy: .cached))
    }
  }

  @Test("one bad spec in a batch does not spoil the others")
  func batch() async throws {
    try await withServer { live in
      live.service.publish("a", revision: 1)
      let answers = try await live.ask { try $0.resolve(["a", "bad", "b"]) }
      #expect(answers.map(\.status) == [.hit, .failed, .miss])
      #expect(answers[1].error?.code == .badSpec)
    }
  }

  @Test(
    "foreign bytes are refused with 400 and the connection is closed",
    arguments: [
      "\u{16}\u{3}\u{1}\u{2}", "*1\r\n$4\r\nPING\r\n", "GETTTTTTTTTTT / HTTP/1.1\r\n",
    ])
  func foreignBytes(bytes: String) async throws {
    try await withServer { live in
      let answer = try await live.exchange(bytes)
      #expect(answer.hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test("half a request is given up after its time")
  func halfRequest() async throws {
    var options = HTTPServer.Options()
    options.patience.request = .milliseconds(100)
    try await withServer(options: options) { live in
      let half = "POST /v1/kernels HTTP/1.1\r\nContent-Length: 100\r\n\r\nrelu("
      let answer = try await live.exchange(half)
      #expect(answer.hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test("a client that says nothing is let go after its time")
  func idle() async throws {
    var options = HTTPServer.Options()
    options.patience.idle = .milliseconds(100)
    try await withServer(options: options) { live in
      let answer = try await live.exchange("")
      #expect(answer.isEmpty)
    }
  }

  @Test("a client that has said all it will is answered")
  func halfClosed() async throws {
    try await withServer { live in
      let connection = try RawConnection(live.path)
      connection.send("POST /v1/kernels HTTP/1.1\r\nContent-Length: 4\r\n\r\nwait")
      connection.endSending()
      var moments = live.service.moments.makeAsyncIterator()
      #expect(await moments.next() == "arrived")
      live.service.openGate.finish()
      let answer = try await connection.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test("heads and bodies over the limit are refused")
  func limits() async throws {
    var options = HTTPServer.Options()
    options.limits.bodyBytes = 1000
    try await withServer(options: options) { live in
      let body = try await live.exchange(
        "POST /v1/kernels HTTP/1.1\r\nContent-Length: 1001\r\n\r\n")
      #expect(body.hasPrefix("HTTP/1.1 413 "))
      let head = try await live.exchange(
        "GET /v1/stats HTTP/1.1\r\nX: " + String(repeating: "a", count: 20000))
      #expect(head.hasPrefix("HTTP/1.1 431 "))
    }
  }

  @Test("a client that waits to be invited sends its body then")
  func expectation() async throws {
    try await withServer { live in
      let connection = try RawConnection(live.path)
      connection.send(
        "POST /v1/kernels HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n"
          + "Connection: close\r\n\r\n")
      let invitation = "HTTP/1.1 100 Continue\r\n\r\n"
      let invited = try await connection.read(invitation.utf8.count)
      #expect(invited == Array(invitation.utf8))
      connection.send("x")
      let answer = try await connection.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.1 200 "))
    }
  }

  @Test("a client that stops reading is cut off, and others are served meanwhile")
  func slowReader() async throws {
    var options = HTTPServer.Options()
    options.patience.request = .seconds(1)
    try await withServer(options: options) { live in
      let digest = live.service.store([UInt8](repeating: 7, count: 1 << 20)).hex
      let slow = try RawConnection(live.path)
      for _ in 0..<16 { slow.send("GET /v1/artifacts/\(digest) HTTP/1.1\r\n\r\n") }
      let count = try await live.ask { try $0.artifact(digest).count }
      #expect(count == 1 << 20)
      // The server gives up: what it has sent ends before all that was asked for.
      await live.untilConnected(0)
      let received = try await slow.readToEnd()
      #expect(received.utf8.count < 16 << 20)
    }
  }

  @Test("requests sent at once are answered in order")
  func pipelining() async throws {
    try await withServer { live in
      let answers = try await live.exchange(
        "GET /v1/greeting HTTP/1.1\r\n\r\nGET /v1/none HTTP/1.1\r\n\r\n"
          + "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
      let statuses = answers.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
      #expect(statuses == ["200", "404", "200"])
      #expect(answers.contains("granary_requests_total"))
    }
  }

  @Test("requests that arrive in pieces are answered as those that arrive whole")
  func pieces() async throws {
    try await withServer { live in
      let digest = live.service.store(Array("an artifact".utf8)).hex
      let requests = Array(
        ("GET /v1/artifacts/\(digest) HTTP/1.1\r\n\r\n"
          + "POST /v1/artifacts HTTP/1.1\r\nContent-Length: 64\r\n\r\n\(digest)"
          + "GET /v1/artifacts/\(digest) HTTP/1.1\r\nConnection: close\r\n\r\n").utf8)
      let whole = try await live.exchange(String(decoding: requests, as: UTF8.self))
      #expect(whole.split(separator: "an artifact").count == 3)
      for cut in requests.indices {
        let connection = try RawConnection(live.path)
        connection.send(Array(requests[..<cut]))
        await Task.yield()
        connection.send(Array(requests[cut...]))
        let answer = try await connection.readToEnd()
        #expect(answer == whole, "cut at \(cut)")
      }
      let slow = try RawConnection(live.path)
      for byte in requests { slow.send([byte]) }
      let answer = try await slow.readToEnd()
      #expect(answer == whole)
    }
  }

  @Test("more answers than the socket takes at once arrive whole and in order")
  func manyAtOnce() async throws {
    try await withServer { live in
      let digests = (0..<24).map { number in
        live.service.store([UInt8](repeating: UInt8(number), count: 300_000 + number)).hex
      }
      _ = try await live.ask { try $0.artifacts(digests) }
      let connection = try RawConnection(live.path)
      for digest in digests { connection.send("GET /v1/artifacts/\(digest) HTTP/1.1\r\n\r\n") }
      for number in digests.indices {
        let head =
          "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n"
          + "content-length: \(300_000 + number)\r\n\r\n"
        let answer = try await connection.read(head.utf8.count + 300_000 + number)
        #expect(answer.starts(with: head.utf8))
        #expect(answer.dropFirst(head.utf8.count).allSatisfy { $0 == UInt8(number) })
      }
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
      let idle = try RawConnection(live.path)
      await live.untilConnected(2)
      await live.group.triggerGracefulShutdown()
      let last = try await idle.readToEnd()
      #expect(last.isEmpty)
      let error = await #expect(throws: ServiceError.self) { try await live.ask { _ in } }
      #expect(error?.code == .noDaemon)
      live.service.openGate.finish()
      let answer = try await connection.readToEnd()
      #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("\"miss\""))
    }
  }

  @Test("clients over the limit are turned away, and let in once others have gone")
  func connectionLimit() async throws {
    var options = HTTPServer.Options()
    options.connectionLimit = 1
    try await withServer(options: options) { live in
      var first: RawConnection? = try RawConnection(live.path)
      await live.untilConnected(1)
      let answer = try await live.exchange("GET /v1/greeting HTTP/1.1\r\n\r\n")
      #expect(answer.isEmpty)
      _ = first
      first = nil
      await live.untilConnected(0)
      let version = try await live.ask { try $0.greeting().version }
      #expect(version == "test")
    }
  }

  @Test("progress arrives event by event")
  func progress() async throws {
    try await withServer { live in
      let states = try await live.ask { client in
        var states: [KernelAnswer.SearchState] = []
        try client.tune(TuneRequest(spec: "x")) { states.append($0.state) }
        return states
      }
      #expect(states == [.running, .running, .finished])
    }
  }

  @Test("a second daemon refuses, a stale socket is replaced, and only the owner may connect")
  func oneDaemon() async throws {
    let folder = TemporaryFolder()
    let path = folder.file("granary.sock")
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #expect(try UnixAddress.with(path) { bind(stale, $0, $1) } == 0)
    close(stale)
    let first = try ListeningSocket.open(path, environment: [:])
    #expect(first.name == path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    let error = #expect(throws: ServiceError.self) {
      try ListeningSocket.open(path, environment: [:])
    }
    #expect(error?.code == .conflict)
  }
}
