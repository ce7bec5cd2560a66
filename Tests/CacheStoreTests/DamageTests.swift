import GRDB
import Glibc
import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import CacheStore

@Suite struct DamageTests {
  let fixture = StoreFixture()

  @Test("a blob that was healed between reading and quarantine stays")
  func healedBlob() throws {
    let store = try fixture.open()
    let bytes = noise(100_000, seed: 1)
    try store.publish("a", bytes)
    let path = store.blobPath(Digest(of: bytes))
    var stale = try #require(try fixture.files.read(path, limitBytes: .max))
    stale[100] ^= 1
    #expect(try store.bytes(of: Digest(of: bytes), contents: stale) == bytes)
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == bytes)
    #expect(try store.counters()["store.blobs.quarantined"] == nil)
  }

  @Test("revision numbers never repeat, also after the entry was removed")
  func numbers() throws {
    var store = try fixture.open()
    #expect(try store.publish("a", [1]) == 1)
    #expect(try store.publish("a", [2]) == 2)
    try store.remove(key: key("a"))
    #expect(try store.publish("a", [3]) == 3)
    try store.remove(key: key("a"))
    try store.close()
    try overwrite(offset: 0, count: 8)
    try mark()
    store = try fixture.open()
    #expect(try store.publish("b", [1]) == 1)
  }

  @Test("a salvaged store keeps pins and numbers, and takes a damaged revision from its record")
  func salvage() throws {
    var store = try fixture.open()
    for name in ["kept", "lost"] {
      for value in 1...3 { try store.publish(name, [UInt8(value)]) }
      try store.pin(key: key(name), revision: 2)
    }
    try store.publish("gone", [9])
    try store.remove(key: key("gone"))
    try store.write {
      try $0.execute(
        sql: """
          UPDATE revisions SET created = created, verdict = 'tuned' WHERE number = 2
            AND entry = (SELECT id FROM entries WHERE name = 'lost')
          """)
    }
    try store.close()
    // The length of the free list: the check fails, and every row can be read.
    try overwrite(offset: 36, count: 4)
    try mark()
    store = try fixture.open()
    #expect(try store.lookup(key: key("kept"))?.revision == 2)
    #expect(try store.lookup(key: key("lost"))?.revision == 2)
    #expect(try store.publish("gone", [9]) == 2)
    #expect(try store.publish("lost", [9]) == 4)
  }

  @Test("blob files are in the index again after a rebuild, and damaged ones are not")
  func files() throws {
    var store = try fixture.open()
    let sound = noise(100_000, seed: 1)
    let broken = noise(100_000, seed: 2)
    try store.publish("a", sound)
    try store.publish("b", broken)
    fixture.files.corrupt(store.blobPath(Digest(of: broken))) { $0[500] ^= 1 }
    try store.close()
    try overwrite(offset: 0, count: 100)
    try mark()
    store = try fixture.open()
    #expect(try store.statistics().blobs == 3, "one artifact and two sources")
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == sound)
    #expect(try store.lookup(key: key("b")) == nil)
    #expect(try store.artifact(digest: Digest(of: sound)) == sound)
    #expect(try store.artifact(digest: Digest(of: broken)) == nil)
  }

  @Test(
    "a database that was cut short opens, and what it serves is right",
    arguments: [0, 1, 99, 100, 512, 4096, 8191, 40960, 100_000])
  func truncation(size: Int) throws {
    var store = try fixture.open()
    for index in 0..<50 { try store.publish("k\(index)", noise(2000, seed: UInt64(index))) }
    try store.close()
    #expect(truncate(path, off_t(size)) == 0)
    try mark()
    store = try fixture.open()
    for index in 0..<50 {
      guard let found = try store.lookup(key: key("k\(index)")) else { continue }
      #expect(found.artifact.bytes == noise(2000, seed: UInt64(index)))
    }
    let number = try store.publish("k0", [7])
    #expect(try store.lookup(key: key("k0"))?.revision == number)
    #expect(try store.verifyAll(repair: false).indexIsSound)
  }

  @Test("damage met while running is a miss, and closing does not hide it")
  func runningDamage() throws {
    var store = try fixture.open()
    for index in 0..<200 { try store.publish("k\(index)", noise(2000, seed: UInt64(index))) }
    try store.close()
    store = try fixture.open()
    let size = try #require(try LocalFileSystem().sizeBytes(of: path))
    try overwrite(offset: 4096 * 12, count: size - 4096 * 12)
    var served = 0
    for index in 0..<200 {
      guard let found = try store.lookup(key: key("k\(index)")) else { continue }
      #expect(found.artifact.bytes == noise(2000, seed: UInt64(index)))
      served += 1
    }
    #expect(served < 200)
    try? store.close()
    store = try fixture.open()
    #expect(try store.verifyAll(repair: false).indexIsSound)
    try store.publish("new", [1])
    #expect(try store.lookup(key: key("new")) != nil)
  }

  @Test("a whole check finds what is damaged, and a repair leaves a sound store")
  func verification() throws {
    let store = try fixture.open()
    for name in ["a", "b", "c", "d"] {
      try store.publish(name, noise(100_000, seed: UInt64(name.utf8.first ?? 0)))
    }
    try store.publish("d", [4])
    let sound = try store.verifyAll(repair: true)
    #expect(sound.isSound && sound.revisionsChecked == 5 && sound.blobsChecked == 9)
    let paths = fixture.files.paths
    fixture.files.corrupt(paths[0]) { $0[90] ^= 4 }
    try fixture.files.remove(paths[1])
    try store.pin(key: key("d"), revision: 2)
    try store.write {
      try $0.execute(sql: "UPDATE revisions SET details = zeroblob(9) WHERE number = 2")
    }
    let found = try store.verifyAll(repair: false)
    #expect(found.blobsDamaged == 1 && found.blobsMissing == 1 && found.revisionsDamaged == 1)
    #expect(try store.statistics().revisions == 5)
    #expect(try store.verifyAll(repair: true) == found)
    #expect(try store.statistics().revisions == 3, "the two without their bytes are gone")
    #expect(try store.lookup(key: key("d"))?.revision == 2, "its row came from its record")
    let after = try store.verifyAll(repair: false)
    #expect(after.isSound && after.revisionsChecked == 3)
    #expect(try store.counters()["store.blobs.quarantined"] == 1)
    #expect(try store.quarantined().map(\.reason) == ["a blob: its bytes have another digest"])
  }

  @Test("a lost index is made again from the files alone, and serves what it served")
  func lostIndex() throws {
    var store = try fixture.open()
    let large = noise(100_000, seed: 1)
    try store.publish("large", large, namespace: "team")
    for value in 1...3 { try store.publish("small", [UInt8(value)], seconds: 7) }
    try store.withdraw(key: key("small"), revision: 3, reason: "wrong")
    try store.publish("gone", [9])
    try store.remove(key: key("gone"))
    let before = try store.entries().sorted { $0.name < $1.name }
    let revisions = try store.revisions(key: key("small"))
    try store.close()
    for suffix in ["", "-wal", "-shm"] { try LocalFileSystem().remove(path + suffix) }
    store = try fixture.open()
    let after = try store.entries().sorted { $0.name < $1.name }
    #expect(after.map(\.key) == before.map(\.key) && after.map(\.parts) == before.map(\.parts))
    #expect(after.map(\.namespace) == ["team", ""] && after.map(\.spec) == before.map(\.spec))
    #expect(try store.revisions(key: key("small")) == revisions)
    #expect(try store.lookup(key: key("large"))?.artifact.bytes == large)
    #expect(try store.lookup(key: key("small"))?.artifact.bytes == [2])
    #expect(try store.source(artifact: Digest(of: [UInt8(2)])) != nil)
    #expect(try store.publish("small", [4]) == 4)
    #expect(try store.verifyAll(repair: false).isSound)
  }

  @Test("no byte of a record can change unnoticed, and a repair writes it anew")
  func damagedRecord() throws {
    let store = try fixture.open()
    try store.publish("a", [1, 2, 3])
    let file = try #require(fixture.files.paths.first { $0.contains("/records/") })
    let sound = try #require(try fixture.files.read(file, limitBytes: .max))
    #expect(RevisionRecord(decoding: sound) != nil)
    for position in sound.indices {
      var changed = sound
      changed[position] ^= 1
      // A bit of the frame that zstd ignores may differ.
      let decoded = RevisionRecord(decoding: changed)
      #expect(decoded == nil || decoded == RevisionRecord(decoding: sound), "byte \(position)")
    }
    for length in sound.indices {
      #expect(RevisionRecord(decoding: Array(sound[..<length])) == nil)
    }
    fixture.files.corrupt(file) { $0[70] ^= 1 }
    #expect(try store.verifyAll(repair: true).recordsDamaged == 1)
    #expect(try store.verifyAll(repair: false).isSound)
    #expect(try store.quarantined().count == 1)
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == [1, 2, 3])
  }

  @Test("a damaged inline blob is taken from its record by a repair")
  func healedFromRecord() throws {
    let store = try fixture.open()
    try store.publish("a", [1, 2, 3])
    try store.write {
      try $0.execute(
        sql: "UPDATE blobs SET contents = zeroblob(100) WHERE digest = ?",
        arguments: [Digest(of: [UInt8(1), 2, 3]).column])
    }
    #expect(try store.verifyAll(repair: true).blobsDamaged == 1)
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == [1, 2, 3])
    #expect(try store.verifyAll(repair: false).isSound)
  }

  @Test("what JSON cannot say is an error of the store")
  func encoding() throws {
    let error = #expect(throws: GranaryError.self) { try StoreJSON.encode(Double.nan) }
    #expect(error?.code == .storeInternal)
  }

  private var path: String { fixture.directory + "/index.sqlite" }

  private func mark() throws {
    try LocalFileSystem().write([], atomicallyTo: fixture.directory + "/unclean")
  }

  /// Writes noise into the database file in place.
  private func overwrite(offset: Int, count: Int) throws {
    let descriptor = Glibc.open(path, O_WRONLY)
    let written = noise(count, seed: 7).withUnsafeBytes {
      pwrite(descriptor, $0.baseAddress, count, off_t(offset))
    }
    close(descriptor)
    try #require(written == count)
  }
}
