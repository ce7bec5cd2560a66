import DaemonAPI
import DaemonClient
import FoundationEssentials
import KernelSpec
import Testing

@Suite("The OpenAPI document") struct OpenAPITests {
  private let document: OpenAPIDocument

  init() throws { document = try OpenAPIDocument() }

  @Test("it has every route of the code, and no other")
  func routes() {
    #expect(document.operations == Set(Route.allCases.map { "\($0.method) \($0.path)" }))
  }

  @Test("what the memory service cannot answer is encoded as documented")
  func values() throws {
    let entry = EntrySummary(
      key: Digest(of: [1]).hex, name: "relu", hardware: "x", verdict: .preferVendor, revision: 1,
      bytes: 1, created: 1.5, lastUsed: 2, pinned: true, uses: 3, speedup: 1.1,
      namespace: "team", protection: ["pin", "lock-file"])
    let detail = KernelDetail(
      entry: entry, spec: "{}", artifact: nil, manifest: nil, evidence: nil,
      lineage: [.init(id: 1, parents: [0], proposer: "model", fitness: 1.1, summary: "tiles")],
      termination: "converged", candidates: 9)
    #expect(try document.faults(of: json(entry), as: "Entry") == [])
    #expect(try document.faults(of: json(detail), as: "KernelDetail") == [])
    let event = TuneEvent(
      key: entry.key, state: .running, elapsedSeconds: 1, secondsLeft: 1, candidates: 1,
      candidatesPerSecond: 1, answer: KernelAnswer(status: .miss))
    #expect(try document.faults(of: json(event), as: "TuneEvent") == [])
    let past = Explanation(
      key: "", name: "", parts: [], present: false, reasons: [], nearest: nil, detail: nil,
      request: .init(
        request: "r1", time: 1.5, outcome: "failed", reason: "bad", latencyMicroseconds: 2.5))
    #expect(try document.faults(of: json(past), as: "Explanation") == [])
    let lock = LockFile.Kernel(key: entry.key, name: nil, revision: 2, artifact: entry.key)
    #expect(try document.faults(of: json(lock), as: "LockedKernel") == [])
  }

  @Test("a missing member, an unknown member and a wrong type are found")
  func faults() {
    let answer = JSONValue.object(["key": .number(1), "surprise": .null])
    #expect(document.faults(of: answer, as: "ChangeReport").count == 3)
  }

  private func json(_ value: some Encodable) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(WireJSON.encode(value)))
  }
}

extension ServerTests {
  @Test("live answers are as documented, the error too")
  func liveAnswers() async throws {
    let document = try OpenAPIDocument()
    try await withServer { live in
      live.service.publish("relu(x: f32[4])", revision: 1)
      let key = Digest(of: "x".utf8).hex
      let asked: [(route: Route, parameter: String, body: String)] = [
        (.greeting, "", ""), (.resolve, "", "relu(x: f32[4])\nbad\nother"), (.entries, "", ""),
        (.remove, key, ""), (.collect, "", "{}"), (.statistics, "", ""),
        (.explainSpec, "", "relu(x: f32[4])"), (.doctor, "", ""), (.configuration, "", ""),
        (.searches, "", ""), (.revisions, key, ""), (.rollback, key, "{\"revision\":1}"),
        (.refresh, key, ""), (.repeatEvidence, key, ""), (.lockFiles, "", ""),
        (.lease, key, "{\"holder\":\"me\",\"seconds\":5}"),
        (.addLockFile, "", "{\"path\":\"/granary.lock\"}"), (.stale, "", ""),
        (.importBundle, "", "x"),
        (.verify, "", "{\"repair\":true}"), (.removeForeign, "none", ""),
      ]
      for (route, parameter, body) in asked {
        let answer = try await ask(live, route, parameter, body)
        #expect(document.faults(of: answer, from: route) == [], "\(route.rawValue)")
      }
      let refusal = try await ask(live, .kernel, "none", "")
      #expect(document.faults(of: refusal, as: "Error") == [])
    }
  }
}

/// The JSON body of a live answer.
private func ask(_ live: LiveServer, _ route: Route, _ parameter: String, _ body: String)
  async throws -> JSONValue
{
  let answer = try await live.exchange(
    "\(route.method) \(route.path(parameter)) HTTP/1.1\r\nConnection: close\r\n"
      + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
  let end = try #require(answer.firstRange(of: "\r\n\r\n"), "\(route.rawValue) \(answer)")
  return try JSONDecoder().decode(JSONValue.self, from: Data(answer[end.upperBound...].utf8))
}
