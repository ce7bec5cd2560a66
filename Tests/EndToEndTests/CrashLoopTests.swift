import DaemonClient
import Glibc
import Support
import TestSupport
import Testing

extension EndToEnd {
  /// Kills the daemon at random moments under load. GRANARY_CRASH_ROUNDS says how often,
  /// GRANARY_CRASH_SEED repeats the moments of an earlier run.
  @Suite("Crashes") struct CrashLoopTests {
    @Test("what was acknowledged before kill -9 is served after it, with the same artifact")
    func acknowledgedEntriesSurvive() throws {
      let rounds = Self.number("GRANARY_CRASH_ROUNDS") ?? 5
      let seed = Self.number("GRANARY_CRASH_SEED") ?? Int.random(in: 1...1 << 30)
      print("crash rounds: \(rounds), seed: \(seed)")
      var random = SeededRandom(seed: UInt64(seed))
      let home = try PrivateHome(searchSeconds: 0.5, searchCandidates: 2)
      var acknowledged: [String: Acknowledged] = [:]
      for round in 0..<rounds {
        let daemon = try home.daemon()
        let moment = TestDeadline(seconds: Double.random(in: 0.02...0.9, using: &random))
        // The load: four clients, each with a new spec, and a known one in between.
        let specs = (0..<4).map { "relu(x: f32[\(round + 1),\($0 + 2)])" }
        let clients = try specs.map { spec in
          let client = try RawConnection(home.socket)
          client.ask(for: spec)
          return (spec, client)
        }
        for (spec, client) in clients {
          let text = client.answer(within: Double(moment.milliseconds) / 1000)
          if let one = Acknowledged(response: text) { acknowledged[spec] = one }
        }
        poll(nil, 0, moment.milliseconds)
        daemon.killNow()
      }
      let daemon = try home.daemon()
      #expect(!acknowledged.isEmpty || rounds == 0)
      for (spec, expected) in acknowledged {
        let client = try RawConnection(home.socket)
        client.ask(for: spec, policy: "cached")
        let text = client.answer(within: hangLimit)
        let served = try #require(Acknowledged(response: text), "\(spec) is lost: \(text)")
        #expect(served.key == expected.key)
        // A search that ended meanwhile may serve a newer revision; the acknowledged one stays.
        if served.revision != expected.revision {
          #expect(served.revision > expected.revision, "\(spec)")
        } else {
          #expect(served.artifact == expected.artifact, "\(spec)")
        }
        let bytes = try home.client().artifact(expected.artifact)
        #expect(!bytes.isEmpty)
      }
      print("acknowledged and found: \(acknowledged.count)")
      daemon.killNow()
    }

    private static func number(_ variable: String) -> Int? {
      getenv(variable).flatMap { Int(String(cString: $0)) }
    }
  }
}

/// What the daemon promised in one answer.
private struct Acknowledged {
  var key: String
  var revision: Double
  var artifact: String

  /// - Returns: `nil` for an answer that is cut short or says that there is no kernel.
  init?(response: String) {
    guard let start = response.firstIndex(of: "["),
      let answer = try? JSON(parsing: Array(response[start...].utf8))[0],
      let key = answer["key"].text, let artifact = answer["artifact"].text,
      let revision = answer["revision"].number
    else { return nil }
    (self.key, self.revision, self.artifact) = (key, revision, artifact)
  }
}
