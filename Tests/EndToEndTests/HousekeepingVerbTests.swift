import FoundationEssentials
import Testing

private let relu = "relu(x: f32[11,17])"
private let exp = "exp(x: f32[5])"

extension EndToEnd {
  @Suite("Verbs for operators of machines") struct HousekeepingVerbTests {
    @Test("verify runs the evidence again, and a fresh kernel is not stale but for being measured")
    func evidence() throws {
      let home = try PrivateHome()
      let key = try #require(try home.granary("get", relu, "--json").json()[0]["key"].text)
      #expect(try HousekeepingTests.isIdle(home))
      let verified = try home.granary("verify", String(key.prefix(10)), "--json")
      #expect(verified.status == 0, "\(verified)")
      #expect(try verified.json()[0]["verdict"].text == "passed")
      #expect(try verified.json()[0]["elements_compared"].number ?? 0 > 0)
      #expect(try home.granary("verify", "--sample", "3", "--json").json().list.count == 1)
      #expect(try home.granary("verify").status == 2)
      #expect(try home.granary("verify", "--all", "--sample", "1").status == 2)
      let stale = try home.granary("stale", "--json").json()
      #expect(stale["stale"].list.isEmpty, "\(stale)")
      #expect(stale["reasons"].list.count == 9)
      #expect(try home.granary("stale", "--reason", "nonsense").status == 2)
      let collection = try home.granary("gc", "--stale", "--json").json()
      #expect(collection["entries_removed"].number == 0)
    }

    @Test("revisions are listed, compared, gone back to and pinned, and a refresh adds one")
    func revisions() throws {
      let home = try PrivateHome()
      let key = try #require(
        try home.granary("get", relu, "--wait", "--json").json()[0]["key"].text)
      #expect(try HousekeepingTests.isIdle(home))
      let before = try home.granary("revisions", key, "--json").json().list
      #expect(before.count == 2 && before[0]["served"] == .boolean(true), "\(before)")
      #expect(before[0]["provenance"]["generator"].text?.count == 12)
      let difference = try home.granary("revisions", key, "--diff", "1,2", "--json")
      #expect(difference.status == 0, "\(difference)")
      #expect(try home.granary("revisions", key, "--diff", "1,9").status == 1)
      let back = try home.granary("rollback", key, "--to", "1", "--json").json()
      #expect(back["restored"].number == 1 && back["revision"].number == 3)
      let served = try home.granary("get", relu, "--json").json()[0]
      #expect(served["revision"].number == 3)
      #expect(try home.granary("pin", key, "--revision", "2").status == 0)
      #expect(try home.granary("get", relu, "--json").json()[0]["revision"].number == 2)
      #expect(try home.granary("pin", key, "--remove").status == 0)
      #expect(try home.granary("refresh", key, "--dry-run", "--json").json().list.count == 1)
      let refreshed = try home.granary("refresh", key, "--json")
      #expect(refreshed.status == 0, "\(refreshed)")
      #expect(try HousekeepingTests.isIdle(home))
      let after = try home.granary("revisions", key, "--json").json().list
      #expect(after.count == 4, "\(after)")
    }

    @Test("entries go by operator and namespace, and a lease keeps one")
    func filters() throws {
      let home = try PrivateHome()
      #expect(try home.granary("get", relu, "--namespace", "team-a").status == 0)
      let key = try #require(try home.granary("get", exp, "--json").json()[0]["key"].text)
      #expect(try HousekeepingTests.isIdle(home))
      #expect(try home.granary("lease", key, "--for", "2h").status == 0)
      let leased = try home.granary("gc", "--op", "exp", "--json").json()
      #expect(leased["entries_removed"].number == 0 && leased["entries_protected"].number == 1)
      let team = try home.granary("gc", "--namespace", "team-a", "--dry-run", "--json").json()
      #expect(team["entries_removed"].number == 1)
      #expect(try home.granary("gc", "--namespace", "team-a").status == 0)
      #expect(try home.granary("lease", key, "--end").status == 0)
      #expect(try home.granary("gc", "--op", "exp", "--json").json()["entries_removed"].number == 1)
      #expect(try home.statistics()["entries"].number == 0)
      #expect(try home.granary("gc", "--max-size", "lots").status == 2)
    }

    @Test(
      "a bundle goes to another machine only by a key that is trusted there, whole or not at all")
    func bundles() throws {
      let sender = try PrivateHome()
      let receiver = try PrivateHome()
      let file = sender.file("kernels.granary")
      let made = try sender.granary("get", relu, exp, "--json").json()
      #expect(try HousekeepingTests.isIdle(sender))
      #expect(try sender.granary("export", "--all", "-o", file).status == 1, "nobody signs")
      let key = try sender.granary("keys", "generate", "--name", "farm", "--json").json()
      let text = try #require(key["public_key"].text)
      #expect(try sender.granary("keys", "generate").status == 2)
      #expect(try sender.granary("export", "--all", "-o", file).status == 0)
      let refused = try receiver.granary("import", file, "--json")
      #expect(refused.status == 1, "\(refused)")
      #expect(try refused.failure()["code"].text == "conflict")
      #expect(try receiver.statistics()["entries"].number == 0)
      #expect(try receiver.granary("keys", "trust", text).status == 0)
      #expect(try receiver.granary("keys", "list", "--json").json()[0]["is_own"] == .boolean(false))
      let dry = try receiver.granary("import", file, "--dry-run", "--json").json()
      #expect(dry["admitted"].number == 2)
      #expect(try receiver.statistics()["entries"].number == 0)
      let taken = try receiver.granary("import", file, "--json")
      #expect(taken.status == 0, "\(taken)")
      #expect(try taken.json()["admitted"].number == 2)
      #expect(try receiver.granary("import", file, "--json").json()["known"].number == 2)
      let served = try receiver.granary("get", relu, exp, "--policy", "cached", "--json").json()
      #expect(served.list.map { $0["status"].text } == ["hit", "hit"], "\(served)")
      #expect(!made.list.isEmpty)
      let revisions = try receiver.granary(
        "revisions", try #require(served[0]["key"].text), "--json"
      ).json()
      #expect(revisions[0]["origin"].text == "bundle")
      #expect(revisions[0]["verified"].number ?? 0 > 0, "it was verified here first")
      // A changed byte anywhere refuses the whole.
      var bytes = [UInt8](try Data(contentsOf: URL(filePath: file)))
      bytes[bytes.count / 2] ^= 0x10
      try Data(bytes).write(to: URL(filePath: file))
      #expect(try receiver.granary("import", file).status != 0)
    }
  }
}
