import FoundationEssentials
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"

extension EndToEnd {
  @Suite("Shared tiers") struct SharingTests {
    /// A maker with a key that fills a tier, and a reader that trusts it or not.
    private func pair(trusting: Bool) throws -> (
      maker: PrivateHome, reader: PrivateHome, tier: String
    ) {
      let maker = try PrivateHome()
      let reader = try PrivateHome()
      let tier = maker.file("tier")
      maker.environment["GRANARY_TIERS"] = tier
      maker.environment["GRANARY_TIER_WRITES"] = "true"
      reader.environment["GRANARY_TIERS"] = tier
      let key = try maker.granary("keys", "generate", "--name", "farm", "--json").json()
      if trusting {
        #expect(
          try reader.granary("keys", "trust", try #require(key["public_key"].text)).status == 0)
      }
      return (maker, reader, tier)
    }

    private func files(in folder: String) -> [String] {
      (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
    }

    /// Makes the kernel, and waits until the tier has its newest revision.
    private func fill(_ maker: PrivateHome, _ tier: String) throws -> String {
      let made = try maker.granary("get", relu, "--json").json()[0]
      #expect(try HousekeepingTests.isIdle(maker))
      let arrived = try eventually(within: hangLimit) {
        let doctor = try maker.granary("doctor", "--json").json()
        let waits = doctor["findings"].list.contains {
          $0["message"].text?.contains("; 0 uploads wait") == true
        }
        return waits && files(in: tier).contains { $0.hasPrefix("ac/") }
      }
      #expect(arrived)
      return made["key"].text ?? ""
    }

    @Test("a kernel that one machine made is a verified hit on another that trusts it")
    func shared() throws {
      let (maker, reader, tier) = try pair(trusting: true)
      let key = try fill(maker, tier)
      let got = try reader.granary("get", relu, "--json").json()[0]
      #expect(got["status"].text == "hit" && got["key"].text == key, "\(got)")
      let revision = try reader.granary("revisions", key, "--json").json()[0]
      #expect(revision["origin"].text == "tier" && revision["verified"].number ?? 0 > 0)
    }

    @Test("what no trusted key signed, or what was changed, is a miss that is met here")
    func poisoned() throws {
      let (maker, reader, tier) = try pair(trusting: false)
      _ = try fill(maker, tier)
      let stranger = try reader.granary("get", relu, "--json").json()[0]
      #expect(stranger["status"].text == "baseline", "\(stranger)")
      // One that trusts the key, but finds other bytes under the digests.
      let key = try maker.granary("keys", "list", "--json").json()[0]["public_key"].text
      let victim = try PrivateHome()
      victim.environment["GRANARY_TIERS"] = tier
      #expect(try victim.granary("keys", "trust", try #require(key)).status == 0)
      for file in files(in: tier) where file.hasPrefix("cas/") {
        var isFolder = false
        guard FileManager.default.fileExists(atPath: "\(tier)/\(file)", isDirectory: &isFolder),
          !isFolder
        else { continue }
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(tier)/\(file)")))
        if !bytes.isEmpty { bytes[bytes.count / 2] ^= 1 }
        try Data(bytes).write(to: URL(filePath: "\(tier)/\(file)"))
      }
      let met = try victim.granary("get", relu, "--json").json()[0]
      #expect(met["status"].text == "baseline", "\(met)")
      #expect(try victim.granary("verify", "--all").status == 0)
    }

    @Test("a tier that is not there costs no answer")
    func away() throws {
      let home = try PrivateHome()
      home.environment["GRANARY_TIERS"] = "http://127.0.0.1:9 /dev/null/nowhere"
      home.environment["GRANARY_TIER_WRITES"] = "true"
      #expect(try home.granary("get", relu).status == 0)
      let doctor = try home.granary("doctor", "--json").json()
      #expect(
        doctor["findings"].list.contains {
          $0["subject"].text == "tier http://127.0.0.1:9" && $0["state"].text == "warning"
        }, "\(doctor)")
      home.environment["GRANARY_TIERS"] = "http://user:secret@host"
      let other = try PrivateHome()
      other.environment["GRANARY_TIERS"] = "http://user:secret@host"
      let refused = try other.spawnDaemon().finish(within: hangLimit)
      #expect(refused.status != 0 && !refused.complaint.contains("secret"), "\(refused)")
    }
  }
}
