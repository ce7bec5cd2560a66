import FoundationEssentials
import Glibc
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"
private let exp = "exp(x: f32[5])"

extension EndToEnd {
  @Suite("Housekeeping") struct HousekeepingTests {
    @Test("gc says what would go, keeps what is pinned, and what went is made again")
    func collection() throws {
      let home = try PrivateHome()
      let answers = try home.granary("get", relu, exp, "--json").json()
      let pinned = try #require(answers[0]["key"].text)
      #expect(try Self.isIdle(home))
      #expect(try home.granary("pin", String(pinned.prefix(10))).status == 0)
      let dry = try home.granary("gc", "--older-than", "0", "--dry-run", "--json").json()
      #expect(dry["entries_removed"].number == 1, "\(dry)")
      #expect(dry["entries_kept"].number == 1)
      #expect(dry["bytes_freed"].number ?? 0 > 0)
      #expect(try home.statistics()["entries"].number == 2)
      let done = try home.granary("gc", "--older-than", "0", "--json").json()
      #expect(done == dry, "what a dry run says is what happens")
      #expect(try home.granary("ls", "--json").json().list.map { $0["key"].text } == [pinned])
      let again = try home.granary("get", relu, exp, "--json").json()
      #expect(again.list.map { $0["status"].text } == ["hit", "baseline"], "\(again)")
      #expect(try home.granary("pin", pinned, "--remove").status == 0)
      #expect(
        try home.granary("ls", "--json").json().list.allSatisfy { $0["pinned"] == .boolean(false) })
    }

    @Test("rm --dry-run removes nothing, and one wrong key among several neither")
    func dryRemoval() throws {
      let home = try PrivateHome()
      let key = try #require(try home.granary("get", relu, "--json").json()[0]["key"].text)
      let dry = try home.granary("rm", "--dry-run", String(key.prefix(8)), "--json")
      #expect(try dry.json()[0]["key"].text == key, "\(dry)")
      #expect(try home.granary("rm", key, "ffffff").status == 1)
      #expect(try home.statistics()["entries"].number == 1)
      #expect(try home.granary("rm", String(key.prefix(8))).status == 0)
      #expect(try home.statistics()["entries"].number == 0)
    }

    @Test("the daemon collects by itself what is unused for too long, and hits go on meanwhile")
    func background() throws {
      let home = try PrivateHome()
      home.environment["GRANARY_COLLECT_SECONDS"] = "0.2"
      home.environment["GRANARY_UNUSED_SECONDS"] = "1"
      let daemon = try home.daemon()
      let kept = try #require(try home.granary("get", relu, exp, "--json").json()[0]["key"].text)
      #expect(try home.granary("pin", kept).status == 0)
      let collected = try eventually(within: hangLimit) {
        // Asking by key is no use of it, and the pinned one is a hit whatever happens.
        let answer = try home.granary("get", relu, "--policy", "cached", "--json").json()
        #expect(answer[0]["status"].text == "hit")
        return try home.statistics()["entries"].number == 1
      }
      #expect(collected)
      daemon.killNow()
    }

    @Test("fsck finds a damaged blob, repairs it from its record, and tells what it put aside")
    func storeCheck() throws {
      let home = try PrivateHome()
      var daemon = try home.daemon()
      let artifact = try #require(
        try home.granary("get", relu, "--json").json()[0]["artifact"].text)
      #expect(try Self.isIdle(home))
      let sound = try home.granary("fsck", "--json")
      #expect(sound.status == 0, "\(sound)")
      #expect(try sound.json()["blobs_checked"].number ?? 0 >= 2)
      #expect(try daemon.stop().status == 0)
      try Self.damageBlobs(in: home.database)
      daemon = try home.daemon()
      let found = try home.granary("fsck", "--json")
      #expect(found.status == 4, "\(found)")
      #expect(try found.json()["sound"] == .boolean(false))
      #expect(try found.json()["blobs_damaged"].number ?? 0 >= 1)
      let repaired = try home.granary("fsck", "--repair", "--json")
      #expect(repaired.status == 0, "\(repaired)")
      #expect(try repaired.json()["quarantined"].list.isEmpty == false)
      let again = try home.granary("get", relu, "--json", "--no-start").json()[0]
      #expect(again["status"].text == "hit", "the records beside the index had it: \(again)")
      #expect(again["artifact"].text == artifact)
      #expect(try home.granary("fsck").status == 0)
      daemon.killNow()
    }

    /// Changes a byte within every compressed blob that the database file holds.
    private static func damageBlobs(in database: String) throws {
      var bytes = [UInt8](try Data(contentsOf: URL(filePath: database)))
      let magic = Array("GRNB".utf8)
      var found = 0
      for position in bytes.indices.dropLast(200) where bytes[position] == magic[0] {
        guard bytes[position...].starts(with: magic) else { continue }
        bytes[position + 100] ^= 0x40
        found += 1
      }
      guard found > 0 else { throw ProgramError(description: "\(database) has no blob") }
      try Data(bytes).write(to: URL(filePath: database))
    }

    /// Waits until no search runs or waits.
    static func isIdle(_ home: PrivateHome) throws -> Bool {
      try eventually(within: hangLimit) {
        let counters = try home.statistics()
        return counters["searches_running"].number == 0 && counters["searches_queued"].number == 0
      }
    }
  }
}
