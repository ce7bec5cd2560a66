import DaemonClient
import Glibc
import Support
import TestSupport
import Testing

extension EndToEnd {
  /// Kills the daemon at random moments under load. GRANARY_CRASH_ROUNDS says how often, GRANARY_CRASH_SECONDS how long
  /// at most, GRANARY_CRASH_SEED repeats the moments of an earlier run.
  @Suite("Crashes") struct CrashLoopTests {
    @Test("what was acknowledged before kill -9 is served after it, with the same artifact")
    func acknowledgedEntriesSurvive() throws {
      let rounds = Self.number("GRANARY_CRASH_ROUNDS") ?? 5
      let seed = Self.number("GRANARY_CRASH_SEED") ?? Int.random(in: 1...1 << 30)
      print("crash rounds: \(rounds), seed: \(seed)")
      var random = SeededRandom(seed: UInt64(seed))
      let home = try PrivateHome(searchSeconds: 0.5, searchCandidates: 2)
      var acknowledged: [String: Acknowledged] = [:]
      let end = Self.number("GRANARY_CRASH_SECONDS").map { TestDeadline(seconds: Double($0)) }
      var killed = 0
      var telling = Telling()
      for round in 0..<rounds where !(end?.hasPassed ?? false) {
        let daemon = try home.daemon()
        // The load: four clients, each with a new spec, and a known one in between.
        let specs = (0..<4).map { "relu(x: f32[\(round + 1),\($0 + 2)])" }
        let clients = try specs.map { spec in
          let client = try RawConnection(home.socket)
          client.ask(for: spec)
          return (spec, client)
        }
        // A slow machine answers nothing in a second: every other round begins with an answer.
        if round.isMultiple(of: 2) {
          let (spec, client) = clients[0]
          acknowledged[spec] = Acknowledged(response: client.answer(within: hangLimit))
        }
        let moment = TestDeadline(seconds: Double.random(in: 0.02...0.9, using: &random))
        for (spec, client) in clients where acknowledged[spec] == nil {
          let text = client.answer(within: Double(moment.milliseconds) / 1000)
          if let one = Acknowledged(response: text) { acknowledged[spec] = one }
        }
        poll(nil, 0, moment.milliseconds)
        daemon.killNow()
        killed += 1
        telling.tell("killed \(killed) of \(rounds) times, \(acknowledged.count) acknowledged")
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
      tell("killed \(killed) times; acknowledged and found: \(acknowledged.count)")
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
