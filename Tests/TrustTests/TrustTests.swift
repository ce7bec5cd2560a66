import FoundationEssentials
import Glibc
import KernelSpec
import Support
import TestSupport
import Testing

@testable import Trust

@Suite("Trust") struct TrustTests {
  private let folder = TemporaryFolder()
  private var directory: String { folder.file("keys") }

  private var record: SignedRecord {
    SignedRecord(
      key: Digest(of: [1]), spec: "{}", name: "relu", hardware: "x", verdict: "tuned",
      artifact: Digest(of: [2]), source: Digest(of: [3]), manifest: "{}", evidence: "{\"a\":1}",
      searchSeconds: 1.5)
  }

  @Test("what a key signed is accepted from its public half, and after a way through JSON")
  func roundTrip() throws {
    let key = try SigningKey(name: "team-a")
    var signed = record
    try signed.sign(with: key)
    let again = try #require(SignedRecord.decode(try signed.encoded()))
    #expect(again == signed)
    let known = try PublicKey(parsing: key.publicKey.text)
    #expect(again.signer(among: [try SigningKey(name: "b").publicKey, known]) == known)
    #expect(record.signer(among: [known]) == nil)
    #expect(again.signer(among: []) == nil)
  }

  @Test("a change of any part but the name breaks the signature")
  func changes() throws {
    let key = try SigningKey(name: "a")
    var signed = record
    try signed.sign(with: key)
    let changes: [(inout SignedRecord) -> Void] = [
      { $0.key = Digest(of: [9]) }, { $0.spec += " " }, { $0.hardware = "y" },
      { $0.verdict = "baseline" }, { $0.artifact = Digest(of: [9]) },
      { $0.source = Digest(of: [9]) }, { $0.manifest = "" }, { $0.evidence = "{\"a\":2}" },
      { $0.searchSeconds = 2 }, { $0.signatures[0].bytes[5] ^= 1 },
      {
        $0.spec = "{}x"; $0.hardware = ""
      },
    ]
    for (number, change) in changes.enumerated() {
      var forged = signed
      change(&forged)
      #expect(forged.signer(among: [key.publicKey]) == nil, "change \(number)")
    }
    var renamed = signed
    renamed.name = "other"
    #expect(renamed.signer(among: [key.publicKey]) != nil)
  }

  @Test("a ring keeps its key from others, and trusts what it was told to")
  func ring() throws {
    let ring = KeyRing(directory: directory)
    #expect(try ring.signingKey() == nil && ring.accepted().isEmpty)
    let own = try ring.generate(name: "here")
    #expect(throws: GranaryError.self) { try ring.generate(name: "here") }
    #expect(try ring.signingKey()?.publicKey == own)
    var status = stat()
    #expect(stat(directory + "/signing.key", &status) == 0 && status.st_mode & 0o777 == 0o600)
    let other = try SigningKey(name: "there").publicKey
    #expect(try ring.trust(other))
    #expect(try !ring.trust(other))
    #expect(try ring.accepted() == [own, other])
    #expect(try ring.distrust(identifier: other.identifier))
    #expect(try ring.accepted() == [own])
    chmod(directory + "/signing.key", 0o640)
    let refusal = #expect(throws: GranaryError.self) { try ring.signingKey() }
    #expect(refusal?.code == .badKey)
    #expect(refusal?.description.contains("granary-secret") == false)
  }

  @Test(
    "what is no key is refused",
    arguments: ["", "x", "granary-public-1 a", "granary-public-1 a AAAA"])
  func noKeys(text: String) {
    #expect(throws: GranaryError.self) { try PublicKey(parsing: text) }
  }
}
