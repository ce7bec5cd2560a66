import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite("Searches") struct SearchTests {
    @Test("200 clients that ask for one missing spec start one search and get one baseline")
    func oneSearchForEachKey() throws {
      let home = try PrivateHome(searchSeconds: 600, searchCandidates: 1_000_000)
      let daemon = try home.daemon()
      let spec = "softmax(x: f32[57,91], dim: -1)"
      // Every request is on its way before the first answer is read.
      let clients = try (0..<200).map { _ in try RawConnection(home.socket) }
      for client in clients { client.ask(for: spec) }
      let answers = try clients.map { try $0.json(within: hangLimit)[0] }
      #expect(answers.allSatisfy { $0["status"].text == "baseline" || $0["status"].text == "hit" })
      #expect(Set(answers.map { $0["key"].text }).count == 1)
      #expect(Set(answers.map { $0["artifact"].text }).count == 1)
      #expect(answers.allSatisfy { $0["revision"].number == 1 })
      let started = try eventually(within: hangLimit) {
        try home.statistics()["searches_started"].number == 1
      }
      #expect(started)
      let counters = try home.statistics()
      #expect(counters["entries"].number == 1)
      #expect(counters["searches_queued"].number == 0)
      #expect(counters["searches_finished"].number == 0)
      let made = answers.filter { $0["status"].text == "baseline" }.count
      #expect(made >= 1)
      #expect(counters["baselines_served"].number == Double(made))
      daemon.killNow()
    }

    @Test("a tuned get waits for the search and gives its measurements")
    func tunedGetWaitsForTheSearch() throws {
      let home = try PrivateHome(searchSeconds: 5, searchCandidates: 6)
      let result = try home.granary(
        "get", "relu(x: f32[64,65])", "--policy", "tuned", "--wait", "--timeout", "30", "--json")
      #expect(result.status == 0, "\(result)")
      let answer = try result.json()[0]
      #expect(answer["search"].text == "finished")
      #expect(answer["revision"].number ?? 0 >= 2)
      for name in ["kernel_microseconds", "baseline_microseconds", "speedup", "roofline_fraction"] {
        #expect(answer[name].number ?? 0 > 0, "\(name)")
      }
      let counters = try home.statistics()
      #expect(counters["searches_started"].number == 1)
      #expect(counters["searches_finished"].number == 1)
      #expect(counters["candidates_evaluated"].number ?? 0 >= 1)
      let key = try #require(answer["key"].text)
      let detail = try home.granary("show", key, "--json").json()
      #expect(detail["termination"].text != nil)
    }

    @Test(
      "a tune that makes no sense is refused",
      arguments: [["--seconds", "nan"], ["--candidates", "0"]])
    func badLimitsAreRefused(flags: [String]) throws {
      let home = try PrivateHome()
      let result = try ChildProgram(
        Binaries.path("granary"), ["tune", "relu(x: f32[5])", "--json"] + flags,
        environment: home.environment
      ).finish(within: hangLimit)
      #expect(result.status == 2, "\(result)")
      #expect(try result.failure()["code"].text == "bad-request")
    }

    @Test("tune reports its progress and ends with what is served")
    func tuneReportsItsProgress() throws {
      let home = try PrivateHome()
      let result = try home.granary(
        "tune", "relu(x: f32[50,65])", "--seconds", "5", "--candidates", "4", "--json")
      #expect(result.status == 0, "\(result)")
      let events = try result.output.split(separator: 10).map { try JSON(parsing: Array($0)) }
      let last = try #require(events.last)
      #expect(events.dropLast().allSatisfy { $0["state"].text != "finished" })
      #expect(last["state"].text == "finished")
      #expect(last["termination"].text != nil)
      #expect(last["candidates"].number ?? 0 >= 1)
      #expect(last["answer"]["revision"].number ?? 0 >= 2)
    }

    @Test("a search that kill -9 interrupted is resumed by the next daemon, and nothing is lost")
    func interruptedSearchIsResumed() throws {
      let home = try PrivateHome(searchSeconds: 600, searchCandidates: 1_000_000)
      let first = try home.daemon()
      var artifacts: [String: String] = [:]
      for spec in ["softmax(x: f32[40,90], dim: -1)", "relu(x: f32[31])", "exp(x: f32[3,3])"] {
        let answer = try home.granary("get", spec, "--json", "--no-start").json()[0]
        let artifact = try #require(answer["artifact"].text, "\(answer)")
        artifacts[spec] = artifact
      }
      let hasProgress = try eventually(within: hangLimit) {
        try home.statistics()["candidates_evaluated"].number ?? 0 >= 2
      }
      #expect(hasProgress)
      let before = try home.statistics()
      first.killNow()

      let second = try home.daemon()
      for (spec, artifact) in artifacts {
        let answer = try home.granary("get", spec, "--policy", "cached", "--json").json()[0]
        #expect(answer["status"].text == "hit", "\(spec)")
        #expect(answer["artifact"].text == artifact, "\(spec)")
      }
      let evaluated = before["candidates_evaluated"].number ?? 0
      let hasGoneOn = try eventually(within: hangLimit) {
        try home.statistics()["candidates_evaluated"].number ?? 0 >= evaluated + 1
      }
      #expect(hasGoneOn)
      let after = try home.statistics()
      #expect(after["searches_started"] == before["searches_started"])
      #expect(after["searches_started"].number == 1)
      #expect(after["searches_running"].number == 1)
      #expect(after["entries"].number == 3)
      second.killNow()
    }
  }
}
