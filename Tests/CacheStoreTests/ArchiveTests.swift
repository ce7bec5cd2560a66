import Support
import Testing

@testable import CacheStore

@Suite struct ArchiveTests {
  private let members = [
    Archive.Member(name: "records/a.json", bytes: Array("{}".utf8)),
    Archive.Member(name: "blobs/b", bytes: noise(70_000, seed: 1)),
    Archive.Member(name: "blobs/empty", bytes: []),
  ]

  @Test("an archive gives back what was put in")
  func roundTrip() throws {
    #expect(try Archive.decode(Archive.encode(members)) == members)
    #expect(try Archive.decode(Archive.encode([])) == [])
  }

  @Test("what is cut short or changed is refused or gives the same")
  func damage() throws {
    let whole = try Archive.encode(Array(members.dropLast(2)))
    for length in whole.indices {
      #expect(throws: GranaryError.self) { try Archive.decode(Array(whole[..<length])) }
    }
    for position in whole.indices {
      var changed = whole
      changed[position] ^= 1
      if let decoded = try? Archive.decode(changed) { #expect(decoded.count <= 1) }
    }
  }

  @Test(
    "names that lead elsewhere are refused",
    arguments: ["/etc/passwd", "../x", "a/../b", "a//b", "", "a b", "./x"])
  func names(name: String) throws {
    #expect(throws: GranaryError.self) { try Archive.encode([.init(name: name, bytes: [])]) }
    // The same in a header that somebody else wrote.
    var tar = [UInt8](repeating: 0, count: 1536)
    tar.replaceSubrange(0..<name.utf8.count, with: Array(name.utf8))
    tar.replaceSubrange(124..<135, with: Array("00000000000".utf8))
    tar[156] = UInt8(ascii: "0")
    let sum = (0..<512).reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(tar[$1])) }
    let text = String(sum, radix: 8)
    let field = String(repeating: "0", count: 6 - text.count) + text
    tar.replaceSubrange(148..<154, with: Array(field.utf8))
    let archive = try Zstd.compress(tar)
    if name.isEmpty {
      #expect((try? Archive.decode(archive))?.isEmpty ?? true)
    } else {
      #expect(throws: GranaryError.self) { try Archive.decode(archive) }
    }
  }

  @Test("a small archive that says it is huge is refused before it is unpacked")
  func bomb() throws {
    let bomb = try Zstd.compress([UInt8](repeating: 0, count: Archive.limitBytes + 1))
    #expect(bomb.count < 1 << 20)
    #expect(throws: GranaryError.self) { try Archive.decode(bomb) }
  }
}
