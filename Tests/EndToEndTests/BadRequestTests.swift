import Testing

extension EndToEnd {
  @Suite("Bad requests") struct BadRequestTests {
    @Test(
      "a spec that cannot be served gives exit code 2 and one line that says where",
      arguments: [
        ("relu(x: f32[3,4]", "line 1"),
        ("nonsense(x: f32[3])", "nonsense"),
        ("add(a: f32[3], b: f32[4])", "broadcast"),
        ("relu(x: f32[99999999999])", "99999999999"),
        ("relu(x: f32[2147483647,2147483647])", ""),
        ("relu(x: f33[3])", "line 1"),
        ("softmax(x: f32[3,4], dim: 7)", "dim"),
        ("{\"granary_spec\": 1, \"inputs\": [", ""),
        ("no such file", "neither a file nor a spec"),
      ])
    func badSpecsAreRefused(spec: String, hint: String) throws {
      let home = try PrivateHome()
      let daemon = try home.daemon()
      let plain = try home.granary("get", spec, "--no-start")
      #expect(plain.status == 2, "\(plain)")
      #expect(plain.complaint.split(separator: "\n").count == 1, "\(plain)")
      #expect(plain.complaint.contains(hint), "\(plain)")
      let failure = try home.granary("get", spec, "--no-start", "--json").failure()
      #expect(failure["code"].text != nil)
      #expect(failure["message"].text?.isEmpty == false)
      #expect(failure["who"].text == "input")
      #expect(try home.statistics()["entries"].number == 0)
      daemon.killNow()
    }

    @Test("unknown flags and verbs give exit code 2")
    func badUsageIsRefused() throws {
      let home = try PrivateHome()
      #expect(try home.granary("get").status == 2)
      #expect(try home.granary("ls", "--bogus").status == 2)
      #expect(try home.granary("frobnicate").status == 2)
      let bad = try home.granary("ls", "--bogus", "--json")
      #expect(bad.status == 2)
      #expect(try bad.failure()["code"].text == "bad-request", "\(bad)")
    }

    @Test("without a daemon and told not to start one, the exit code is 3")
    func noDaemonGivesThree() throws {
      let home = try PrivateHome()
      let plain = try home.granary("ls", "--no-start")
      #expect(plain.status == 3, "\(plain)")
      #expect(plain.complaint.split(separator: "\n").count == 1)
      let failure = try home.granary("ls", "--no-start", "--json").failure()
      #expect(failure["code"].text == "no-daemon")
      #expect(failure["who"].text == "environment")
    }

    @Test("an unknown key gives exit code 1")
    func unknownKeysGiveOne() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon()
      let result = try home.granary("show", String(repeating: "0", count: 64), "--json")
      #expect(result.status == 1, "\(result)")
      #expect(try result.failure()["code"].text == "not-found")
      daemon.killNow()
    }
  }
}
