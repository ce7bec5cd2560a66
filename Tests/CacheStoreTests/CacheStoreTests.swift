import GRDB
import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import CacheStore

@Suite struct CacheStoreTests {
  let fixture = StoreFixture()

  @Test("what is published is served, also after reopening", arguments: [0, 1, 5000, 200_000])
  func roundTrip(size: Int) throws {
    let bytes = noise(size, seed: 1)
    var store = try fixture.open()
    #expect(try store.lookup(key: key("a")) == nil)
    #expect(try store.publish("a", bytes) == 1)
    #expect(try store.publish("a", bytes + [1], verdict: .tuned) == 2)
    try store.close()
    store = try fixture.open()
    let kernel = try #require(try store.lookup(key: key("a")))
    #expect(kernel.artifact.bytes == bytes + [1])
    #expect(kernel.verdict == .tuned && kernel.revision == 2)
    #expect(try store.lookup(key: key("a"), revision: 1)?.artifact.bytes == bytes)
    #expect(try store.source(artifact: Digest(of: bytes))?.text == "int a;")
    #expect(try store.revisions(key: key("a")).map(\.number) == [2, 1])
  }

  @Test("a second opener is refused until the first is gone")
  func secondOpener() throws {
    var first: CacheStore? = try fixture.open()
    let error = #expect(throws: GranaryError.self) { try fixture.open() }
    #expect(error?.code == .storeLocked)
    try first?.close()
    first = nil
    #expect(throws: Never.self) { try fixture.open() }
  }

  @Test("a change of any byte of a blob makes a miss, and publishing heals it")
  func corruption() throws {
    let store = try fixture.open()
    let bytes = noise(100_000, seed: 2)
    try store.publish("a", bytes)
    let path = store.blobPath(Digest(of: bytes))
    for offset in Array(0..<Blob.headerBytes) + [Blob.headerBytes + 5000] {
      fixture.files.corrupt(path) { $0[offset] ^= 0x10 }
      #expect(try store.lookup(key: key("a")) == nil, "byte \(offset)")
      try store.publish("a", bytes)
      #expect(try store.lookup(key: key("a"))?.artifact.bytes == bytes)
    }
    fixture.files.corrupt(path) { $0.removeLast() }
    #expect(try store.lookup(key: key("a")) == nil)
    #expect(try store.counters()["store.blobs.quarantined"] == Blob.headerBytes + 2)
  }

  @Test("a damaged row is not served")
  func damagedRow() throws {
    let store = try fixture.open()
    try store.publish("a", [1, 2, 3])
    try store.write { try $0.execute(sql: "UPDATE revisions SET verdict = 'tuned'") }
    #expect(try store.lookup(key: key("a")) == nil)
  }

  @Test("a publish that fails at any step leaves the old revision", arguments: 0..<3)
  func failingDisk(step: Int) throws {
    var store: CacheStore? = try fixture.open()
    try store?.publish("a", [1])
    fixture.files.fail(atStep: step)
    let error = #expect(throws: GranaryError.self) {
      try store?.publish("a", noise(100_000, seed: 3))
    }
    #expect(error?.code == .diskFull)
    fixture.files.recover()
    store = nil
    let reopened = try fixture.open()
    #expect(try reopened.lookup(key: key("a"))?.artifact.bytes == [1])
    #expect(try reopened.publish("a", noise(100_000, seed: 3)) == 2)
  }

  @Test("a garbled or truncated database is rebuilt and the store goes on", arguments: 0..<8)
  func damagedDatabase(seed: Int) throws {
    var store: CacheStore? = try fixture.open()
    for index in 0..<30 { try store?.publish("k\(index)", noise(3000, seed: UInt64(index))) }
    try store?.close()
    store = nil
    let path = fixture.directory + "/index.sqlite"
    var bytes = try #require(try LocalFileSystem().read(path, limitBytes: 1 << 30))
    var random = SeededRandom(seed: UInt64(seed))
    if seed % 2 == 0 {
      bytes.removeLast(Int(random.uniform() * Double(bytes.count)))
    } else {
      let start = Int(random.uniform() * Double(bytes.count - 4096))
      for offset in start..<start + 4096 { bytes[offset] = UInt8(random.next() & 255) }
    }
    try LocalFileSystem().write(bytes, atomicallyTo: path)
    try LocalFileSystem().write([], atomicallyTo: fixture.directory + "/unclean")
    let reopened = try fixture.open()
    for index in 0..<30 {
      let served = try reopened.lookup(key: key("k\(index)"))
      #expect(served == nil || served?.artifact.bytes == noise(3000, seed: UInt64(index)))
    }
    try reopened.publish("new", [1])
    #expect(try reopened.lookup(key: key("new"))?.artifact.bytes == [1])
  }

  @Test("a pinned key keeps its revision; an unknown one cannot be pinned")
  func pins() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    try store.pin(key: key("a"))
    try store.publish("a", [2], verdict: .tuned)
    #expect(try store.lookup(key: key("a"))?.revision == 1)
    try store.unpin(key: key("a"))
    #expect(try store.lookup(key: key("a"))?.revision == 2)
    #expect(throws: GranaryError.self) { try store.pin(key: key("b")) }
    #expect(throws: GranaryError.self) { try store.pin(key: key("a"), revision: 7) }
  }

  @Test("entries are found by prefix and by likeness")
  func entries() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    fixture.time.advance(seconds: 1)
    try store.publish("b", [2])
    #expect(try store.entries().map(\.name) == ["b", "a"])
    #expect(try store.entries(containing: "a").map(\.name) == ["a"])
    #expect(try store.entry(keyPrefix: String(key("a").hex.prefix(8))).name == "a")
    let near = try store.nearest(
      to: [
        .init(name: "spec", value: "spec a"), .init(name: "hardware", value: "other"),
      ], name: "a")
    #expect(near?.entry.name == "a" && near?.differing == ["hardware"])
    try store.remove(key: key("a"))
    #expect(try store.lookup(key: key("a")) == nil)
    #expect(try store.statistics().entries == 1)
  }

  @Test("a search is resumed from its last checkpoint, with its candidates")
  func searches() throws {
    let store = try fixture.open()
    let candidate = CandidateRecord(
      id: 0, parents: [], proposer: "draft", schedule: Schedule(kernels: []),
      outcome: .illegal(reason: "x"), island: 0)
    let id = try store.startSearch(key: key("a"), seed: .max, configuration: "{}", checkpoint: "1")
    try store.saveSearch(id, checkpoint: "2", candidates: [candidate])
    #expect(throws: GranaryError.self) {
      try store.saveSearch(id, checkpoint: "3", candidates: [candidate])
    }
    let unfinished = try store.unfinishedSearches()
    #expect(unfinished.map(\.checkpoint) == ["2"] && unfinished.first?.seed == .max)
    #expect(try store.candidates(search: id) == [candidate])
    try store.saveSearch(id, checkpoint: "4", finished: "target")
    #expect(try store.unfinishedSearches().isEmpty)
    #expect(try store.searches(key: key("a")).first?.reason == "target")
  }

  @Test("a request is found by its number with its reason, and a hit is a use of its key")
  func requests() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    fixture.time.advance(seconds: 50)
    let hit = RequestRecord(
      time: fixture.time.wallSeconds, key: key("a"), outcome: "hit", reason: "stored",
      latencySeconds: 0.5)
    let bad = RequestRecord(time: 2, key: nil, outcome: "failed", reason: "no", latencySeconds: 1)
    let numbers = [
      try store.note(hit, counting: ["requests": 1, "hits": 1]),
      try store.note(bad, counting: ["requests": 1]),
    ]
    #expect(numbers == [1, 2])
    #expect(try store.request(number: 1) == hit)
    #expect(try store.request(number: 2) == bad)
    #expect(try store.request(number: 3) == nil)
    #expect(try store.counters() == ["requests": 2, "hits": 1])
    let entry = try #require(try store.entries().first)
    #expect(entry.lastUsed == fixture.time.wallSeconds && entry.useCount == 1)
  }

  @Test("old requests are forgotten, and their numbers are not given again")
  func forgottenRequests() throws {
    let store = try fixture.open()
    let request = RequestRecord(
      time: 1, key: key("a"), outcome: "miss", reason: "", latencySeconds: 0)
    #expect(try store.note(request, counting: [:]) == 1)
    try store.write {
      try $0.execute(
        sql: "UPDATE requests SET id = ?", arguments: [CacheStore.requestLogCapacity])
    }
    #expect(try store.note(request, counting: [:]) == CacheStore.requestLogCapacity + 1)
    #expect(try store.request(number: CacheStore.requestLogCapacity) != nil)
    for _ in 0..<3 { _ = try store.note(request, counting: [:]) }
    #expect(try store.request(number: 1) == nil)
  }

  @Test("the nearest entry is one of the same name, when several differ in as much")
  func nearestByName() throws {
    let store = try fixture.open()
    for name in ["a", "b", "c"] { try store.publish(name, [1]) }
    let parts = [StoredKeyPart(name: "spec", value: "?"), .init(name: "hardware", value: "test")]
    for name in ["a", "b", "c"] {
      #expect(try store.nearest(to: parts, name: name)?.entry.name == name)
    }
  }
}
