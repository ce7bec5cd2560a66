import KernelSpec
import Support
import TestSupport
import Testing

@testable import CacheStore

@Suite struct NumberRunsTests {
  private func unpacked(_ packed: [UInt8]) -> [UInt8]? {
    NumberRuns.unpacked(packed, limitBytes: 1 << 20)
  }

  @Test("a text comes back byte for byte, with any lists in it")
  func roundTrip() throws {
    var random = SeededRandom(seed: 11)
    for round in 0..<400 {
      let lists = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        let top = UInt64(1) << UInt64.random(in: 0...49, using: &random)
        let count = Int.random(in: 0...40, using: &random)
        let low = UInt64.random(in: 0...1, using: &random) * 400_000
        return (0..<count).map { _ in "\(min(low + .random(in: 0..<top, using: &random), 1 << 49))"
        }
        .joined(separator: ",")
      }
      let text = Array(("{\"a\":[" + lists.joined(separator: "],\"b\":[") + "],\"c\":1}").utf8)
      guard let packed = NumberRuns.packed(text) else { continue }
      #expect(unpacked(packed) == text, "round \(round)")
      #expect(packed.count <= text.count)
    }
  }

  @Test("times that lie close together take less than half of their digits")
  func size() throws {
    let times = (0..<40).map { 1_000_000 + $0 * 37 % 9973 }
    let text = Array("[\(times.map(String.init).joined(separator: ","))]".utf8)
    let packed = try #require(NumberRuns.packed(text))
    #expect(packed.count * 2 < text.count)
  }

  @Test(
    "what is no list of many whole numbers stays as it is",
    arguments: [
      "", "[", "[]", "[1,2,3]", "[1,2,3,4,5,6,7,08]", "[1,2,3,4,5,6,7,8.5]", "[1,2,3,4,5,6,7,-8]",
      "[1,2,3,4,5,6,7,1e9]", "[1, 2, 3, 4, 5, 6, 7, 8]", "[1,2,3,4,5,6,7,8", "[1,2,3,4,5,6,7,]",
      "[1,2,3,4,5,6,7,1234567890123456]", "\u{2}[1,2,3,4,5,6,7,8]",
    ])
  func others(text: String) { #expect(NumberRuns.packed(Array(text.utf8)) == nil) }

  @Test("no bytes are read beyond their end, or become more than the limit")
  func damage() throws {
    let sound = try #require(NumberRuns.packed(Array("x[1,2,3,4,5,6,7,8000]y".utf8)))
    // 2, then as many as there may be, all equal: a small text that claims to be a large one.
    let bomb: [UInt8] = [2, 0x80, 0x80, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0]
    var fuzzing = try Fuzzing("runs", adding: [sound, bomb, bomb + bomb + bomb])
    try fuzzing.run(rounds: 3000) { input in
      guard let text = unpacked(input) else { return "refused" }
      #expect(text.count <= 1 << 20)
      return "text"
    }
    #expect(NumberRuns.unpacked(bomb + bomb, limitBytes: 1 << 20) == nil)
    for end in sound.indices.dropFirst(2) where end < sound.count - 1 {
      _ = unpacked(Array(sound[..<end]))
    }
  }

  @Test("a packed text says whether it has lists in binary, and both kinds are read")
  func packer() throws {
    let packer = TextPacker()
    let digest = Digest(of: [])
    for manifest in ["{\"a\":1}", "{\"a\":[1,2,3,4,5,6,7,8,9,300]}"] {
      let packed = try packer.pack(
        manifest: manifest, evidence: "{\"d\":\"\(digest)\"}", artifact: digest)
      let texts = try #require(packer.unpack(details: packed, artifact: digest))
      #expect(texts.manifest == manifest && texts.evidence == "{\"d\":\"\(digest)\"}")
    }
  }
}
