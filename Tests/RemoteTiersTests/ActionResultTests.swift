import KernelSpec
import Support
import Testing

@testable import RemoteTiers

@Suite struct ActionResultTests {
  private let result = ActionResult(
    files: [
      .init(path: "kernel", digest: Digest(of: [1]), sizeBytes: 300),
      .init(path: "source.json", digest: Digest(of: [2]), sizeBytes: 0),
    ], standardOutput: Array("{}".utf8))

  @Test("a message gives back what was put in")
  func roundTrip() {
    #expect(ActionResult(decoding: result.encoded()) == result)
    #expect(ActionResult(decoding: []) == ActionResult(files: [], standardOutput: []))
  }

  /// Written by hand after the proto files: field 2 with path (1) and digest (2) of hash (1) and size (2).
  @Test("the bytes are those of the Remote Execution API")
  func bytes() {
    let one = ActionResult(
      files: [.init(path: "k", digest: Digest(of: [1]), sizeBytes: 300)], standardOutput: [7])
    let hash = Array(Digest(of: [1]).hex.utf8)
    let digest: [UInt8] = [0x0A, 64] + hash + [0x10, 0xAC, 0x02]
    let file: [UInt8] = [0x0A, 1, UInt8(ascii: "k"), 0x12, UInt8(digest.count)] + digest
    #expect(one.encoded() == [0x12, UInt8(file.count)] + file + [0x2A, 1, 7])
  }

  @Test("unknown fields are passed over, and damaged bytes are refused or harmless")
  func foreign() {
    let more: [UInt8] = [0x20, 5, 0x7A, 2, 9, 9, 0x45, 1, 2, 3, 4]
    #expect(ActionResult(decoding: more + result.encoded()) == result)
    for length in 0..<result.encoded().count {
      _ = ActionResult(decoding: Array(result.encoded()[..<length]))
    }
    var random = SeededRandom(seed: 5)
    for _ in 0..<2000 {
      var bytes = result.encoded()
      bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next())
      _ = ActionResult(decoding: bytes)
    }
    #expect(ActionResult(decoding: [0x12, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F]) == nil)
    #expect(ActionResult(decoding: [0x12, 2, 0x0A, 9]) == nil)
  }
}

@Suite struct TierLocationTests {
  @Test("places are read as they are written")
  func places() throws {
    #expect(try TierLocation(parsing: "/mnt/k") == .directory("/mnt/k"))
    #expect(try TierLocation(parsing: "file:///mnt/k") == .directory("/mnt/k"))
    #expect(try TierLocation(parsing: "http://c:8080/x") == .server("http://c:8080/x"))
    #expect(
      try TierLocation(parsing: "s3://b/p/q?endpoint=http://h:9000&region=eu-1")
        == .bucket(base: "http://h:9000/b/p/q", region: "eu-1"))
    #expect(
      try TierLocation(parsing: "s3://b/p?endpoint=https://h&style=virtual")
        == .bucket(base: "https://b.h/p", region: "us-east-1"))
    #expect(
      try TierLocation(parsing: "s3://b?region=eu-west-1")
        == .bucket(base: "https://b.s3.eu-west-1.amazonaws.com", region: "eu-west-1"))
  }

  @Test(
    "what is no place is refused, and credentials in a URL too",
    arguments: [
      "", "ftp://x", "relative", "http://user:secret@host", "s3://", "s3://b?key=1",
      "s3://b?endpoint=h", "s3://b?style=odd",
    ])
  func noPlaces(text: String) {
    let error = #expect(throws: GranaryError.self) { try TierLocation(parsing: text) }
    #expect(error?.description.contains("secret") == false)
  }
}
