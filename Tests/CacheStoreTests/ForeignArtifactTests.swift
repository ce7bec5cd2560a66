import Glibc
import KernelSpec
import Support
import Testing

@testable import CacheStore

@Suite("What other programs keep") struct ForeignArtifactTests {
  let fixture = StoreFixture()

  private func artifacts(limitBytes: Int = 1 << 20) -> ForeignArtifacts {
    ForeignArtifacts(folder: fixture.directory + "/foreign", limitBytes: limitBytes)
  }

  private func file(_ name: String) -> String {
    let digest = Digest(of: name.utf8).hex
    return "\(fixture.directory)/foreign/\(digest.prefix(2))/\(digest)"
  }

  @Test("bytes come back as they were given, also in another process")
  func roundTrip() throws {
    for (name, bytes) in [("empty", []), ("large", noise(300_000, seed: 1)), ("a", [0, 255])] {
      try artifacts().keep(bytes, as: name)
      #expect(try artifacts().bytes(of: name) == bytes)
    }
    #expect(try artifacts().bytes(of: "other") == nil)
  }

  @Test("a damaged file and one of another name are misses")
  func damage() throws {
    let artifacts = artifacts()
    try artifacts.keep(noise(1000, seed: 2), as: "one")
    try artifacts.keep(noise(1000, seed: 3), as: "two")
    let files = LocalFileSystem()
    var bytes = try #require(try files.read(file("one"), limitBytes: 1 << 20))
    try files.write(bytes, atomicallyTo: file("two"))
    #expect(try artifacts.bytes(of: "two") == nil)
    bytes[bytes.count - 1] ^= 1
    try files.write(bytes, atomicallyTo: file("one"))
    #expect(try artifacts.bytes(of: "one") == nil)
  }

  @Test("what was not used for longest goes first, and the limit holds")
  func eviction() throws {
    let artifacts = artifacts(limitBytes: 55_000)
    for name in ["a", "b", "c", "d", "e"] {
      try artifacts.keep(noise(10_000, seed: UInt64(name.utf8.first ?? 0)), as: name)
      let then = timespec(tv_sec: Int(name.utf8.first ?? 0), tv_nsec: 0)
      utimensat(AT_FDCWD, file(name), [then, then], 0)
    }
    #expect(try artifacts.bytes(of: "a") != nil)
    try artifacts.keep(noise(10_000, seed: 99), as: "f")
    let kept = try ["a", "b", "c", "d", "e", "f"].filter { try artifacts.bytes(of: $0) != nil }
    #expect(kept == ["a", "d", "e", "f"])
  }

  @Test("more than all may have together is refused")
  func tooLarge() {
    #expect(throws: GranaryError.self) {
      try artifacts(limitBytes: 1000).keep(noise(2000, seed: 4), as: "x")
    }
  }
}
