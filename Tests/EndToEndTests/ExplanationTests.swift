import FoundationEssentials
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"

extension EndToEnd {
  @Suite("Explanations") struct ExplanationTests {
    @Test("a past request is explained by its name: what was decided, why, and what holds now")
    func pastRequests() throws {
      let home = try PrivateHome()
      let first = try home.granary("get", "relu(x: f32[9])", relu, "nonsense(x: f32[5])", "--json")
      let answers = try first.json()
      let names = answers.list.compactMap { $0["request"].text }
      #expect(Set(names).count == 3, "\(first)")
      #expect(try HousekeepingTests.isIdle(home))
      let made = try home.granary("explain", names[1], "--json").json()
      #expect(made["request"]["outcome"].text == "baseline", "\(made)")
      #expect(made["request"]["request"].text == names[1])
      #expect(made["request"]["latency_microseconds"].number ?? 0 > 0)
      #expect(made["key"] == answers[1]["key"])
      #expect(made["present"] == .boolean(true))
      let failed = try home.granary("explain", names[2], "--json").json()
      #expect(failed["request"]["outcome"].text == "failed")
      #expect(failed["request"]["reason"].text?.contains("nonsense") == true, "\(failed)")
      // A new one, after both are there: its reason names the nearest entry and the part.
      let miss = try home.granary("get", "relu(x: f32[11,18])", "--json").json()[0]
      let why = try home.granary("explain", try #require(miss["request"].text), "--json").json()
      #expect(why["request"]["reason"].text?.contains("differs in spec") == true, "\(why)")
      let hit = try home.granary("get", relu, "--json").json()[0]
      let found = try home.granary("explain", try #require(hit["request"].text)).output
      #expect(String(decoding: found, as: UTF8.self).contains("was stored"))
      let unknown = try home.granary("explain", "r999999", "--json")
      #expect(unknown.status == 1)
      #expect(try unknown.failure()["code"].text == "not-found")
    }

    @Test("an explanation tells the evidence, the lineage, what bounds the kernel, and advice")
    func measuredKernels() throws {
      let home = try PrivateHome(searchSeconds: 20, searchCandidates: 3)
      let spec = "softmax(x: f32[64,65], dim: -1)"
      #expect(try home.granary("get", spec, "--wait", "120").status == 0)
      let explanation = try home.granary("explain", spec, "--json").json()
      #expect(!explanation["detail"]["lineage"].list.isEmpty, "\(explanation)")
      #expect(!explanation["detail"]["evidence"]["checks"].list.isEmpty)
      #expect(!explanation["advice"].list.isEmpty)
      let reasons = explanation["reasons"].list.compactMap(\.text).joined(separator: "\n")
      for words in ["agreed with the reference", "its bound is", "ended by"] {
        #expect(reasons.contains(words), "\(reasons)")
      }
    }

    @Test("the log names each request")
    func log() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon("--log-level", "debug")
      let request = try #require(
        try home.granary("get", relu, "--json", "--no-start").json()[0]["request"].text)
      let log = try daemon.stop().complaint
      let lines = try log.split(separator: "\n").filter { $0.contains("answered a request") }
        .map { try JSON(parsing: Array($0.utf8)) }
      let line = try #require(lines.first { $0["fields"]["request"].text == request }, "\(log)")
      #expect(line["fields"]["outcome"].text == "baseline")
      #expect(line["fields"]["key"].text?.count == 64)
    }

    @Test("top shows rates, and how far the running search has come")
    func top() throws {
      let home = try PrivateHome(searchSeconds: 600, searchCandidates: 1_000_000)
      let daemon = try home.daemon()
      #expect(try home.granary("get", relu).status == 0)
      let running = try eventually(within: hangLimit) {
        try home.statistics()["candidates_evaluated"].number ?? 0 >= 1
      }
      #expect(running)
      let look = try home.granary("top", "--once", "--interval", "0.2", "--json").json()
      #expect(look["requests_per_second"].number != nil, "\(look)")
      #expect(look["statistics"]["entries"].number == 1)
      let search = look["searches"][0]
      #expect(search["state"].text == "running", "\(look)")
      #expect(search["name"].text == "relu")
      #expect(search["candidates"].number ?? 0 >= 1)
      let plain = try home.granary("top", "--once", "--interval", "0.2")
      let text = String(decoding: plain.output, as: UTF8.self)
      #expect(text.contains("requests a second") && text.contains("running"), "\(plain)")
      daemon.killNow()
    }
  }
}
