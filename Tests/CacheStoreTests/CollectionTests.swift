import GRDB
import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import CacheStore

@Suite struct CollectionTests {
  let fixture = StoreFixture()

  @Test("the least recently used goes first, and what took longest to find goes last")
  func order() throws {
    let store = try fixture.open()
    for (name, seconds) in [("old", 0.0), ("costly", 1000), ("middle", 0), ("new", 0)] {
      try store.publish(name, noise(10_000, seed: UInt64(seconds) + 1, name), seconds: seconds)
      fixture.time.advance(seconds: 60)
    }
    let step = try store.statistics().compressedBytes / 4
    for expected in [["costly", "middle", "new"], ["costly", "new"], ["costly"], []] {
      let limit = step * expected.count + step / 2
      let report = try store.collect(CollectionLimits(maximumBytes: limit))
      #expect(report.entriesRemoved == 1 && report.entriesKept == expected.count)
      #expect(try store.entries().map(\.name).sorted() == expected)
      #expect(try store.statistics().compressedBytes <= limit)
      for name in expected { #expect(try store.lookup(key: key(name)) != nil) }
    }
  }

  @Test("pinned entries and those with an unfinished search never go")
  func protected() throws {
    let store = try fixture.open()
    for name in ["pinned", "searched", "other"] {
      try store.publish(name, noise(100, seed: 1, name))
    }
    try store.pin(key: key("pinned"))
    let search = try store.startSearch(
      key: key("searched"), seed: 1, configuration: "", checkpoint: "")
    fixture.time.advance(seconds: 1e6)
    let limits = CollectionLimits(maximumBytes: 0, unusedSeconds: 1)
    #expect(try store.collect(limits).entriesRemoved == 1)
    #expect(try store.entries().map(\.name).sorted() == ["pinned", "searched"])
    try store.saveSearch(search, checkpoint: "", finished: "target")
    try store.unpin(key: key("pinned"))
    #expect(try store.collect(limits).entriesRemoved == 2)
    #expect(try store.statistics().blobs == 0)
  }

  @Test("only what was unused for too long goes by age")
  func age() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    try store.publish("b", [2])
    fixture.time.advance(seconds: 100)
    try store.touch([key("b")])
    #expect(try store.collect(CollectionLimits(unusedSeconds: 100)).entriesRemoved == 0)
    #expect(try store.collect(CollectionLimits(unusedSeconds: 99)).entriesRemoved == 1)
    #expect(try store.entries().map(\.name) == ["b"])
  }

  @Test("the newest two revisions and the pinned one stay")
  func revisions() throws {
    let store = try fixture.open()
    for value in 1...6 { try store.publish("a", [UInt8(value)]) }
    try store.pin(key: key("a"), revision: 2)
    let report = try store.collect(CollectionLimits())
    #expect(report.revisionsRemoved == 3 && report.entriesRemoved == 0)
    #expect(try store.revisions(key: key("a")).map(\.number) == [6, 5, 2])
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == [2])
    #expect(try store.lookup(key: key("a"), revision: 6)?.artifact.bytes == [6])
    #expect(try store.artifact(digest: Digest(of: [UInt8(3)])) == nil)
    #expect(try store.source(artifact: Digest(of: [UInt8(5)])) != nil)
  }

  @Test("who vouched for a revision is forgotten with it, and not before")
  func signatures() throws {
    let store = try fixture.open()
    for value in 1...4 {
      let number = try store.publish("a", [UInt8(value)])
      try store.keepSignatures(["signer": [UInt8(value)]], key: key("a"), revision: number)
    }
    try store.publish("b", [9])
    try store.keepSignatures(["signer": [9]], key: key("b"), revision: 1)
    _ = try store.collect(CollectionLimits())
    func signed() throws -> [String] {
      try store.read {
        try String.fetchAll($0, sql: "SELECT hex(signature) FROM signatures ORDER BY signature")
      }
    }
    #expect(try signed() == ["03", "04", "09"])
    #expect(try store.shareable(key: key("a"))?.signatures == ["signer": [4]])
    try store.remove(key: key("a"))
    _ = try store.collect(CollectionLimits())
    #expect(try signed() == ["09"])
  }

  @Test("a blob that a kept entry shares stays")
  func sharing() throws {
    let store = try fixture.open()
    let bytes = noise(100_000, seed: 1)
    try store.publish("a", bytes)
    fixture.time.advance(seconds: 10)
    try store.publish("b", bytes)
    let report = try store.collect(CollectionLimits(unusedSeconds: 5))
    #expect(report.entriesRemoved == 1)
    #expect(try store.lookup(key: key("b"))?.artifact.bytes == bytes)
  }

  @Test("a dry run tells what a run does, and touches nothing")
  func dryRun() throws {
    let store = try fixture.open()
    for name in ["a", "b", "c"] { try store.publish(name, noise(100_000, seed: 1, name)) }
    for value in 0..<4 { try store.publish("b", [UInt8(value)]) }
    try fixture.files.write([1, 2, 3], atomicallyTo: store.blobPath(key("orphan")))
    let before = (fixture.files.paths, try store.statistics(), try store.entries())
    let limits = CollectionLimits(maximumBytes: 150_000)
    let announced = try store.collect(limits, dryRun: true)
    #expect(fixture.files.paths == before.0)
    #expect(try store.statistics() == before.1 && store.entries() == before.2)
    #expect(try store.collect(limits) == announced)
    #expect(announced.entriesRemoved > 0 && announced.bytesFreed > 100_000)
    #expect(try store.collect(limits).bytesFreed == 0)
  }

  @Test("files that nothing refers to are removed, those in use are not")
  func orphans() throws {
    let store = try fixture.open()
    let bytes = noise(100_000, seed: 1)
    try store.publish("a", bytes)
    try store.publish("inline", [1])
    let orphan = store.blobPath(key("orphan"))
    let superfluous = store.blobPath(Digest(of: [UInt8(1)]))
    let files = [orphan, orphan + ".1.2" + temporaryFileSuffix, superfluous]
    for path in files { try fixture.files.write([1, 2, 3], atomicallyTo: path) }
    #expect(try store.collect(CollectionLimits()).bytesFreed == 9)
    #expect(
      fixture.files.paths.filter { $0.contains("/blobs/") } == [store.blobPath(Digest(of: bytes))])
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == bytes)
    #expect(try store.lookup(key: key("inline"))?.artifact.bytes == [1])
  }

  @Test("steps grow while they are short, shrink when writers wait, and stay small on a full disk")
  func steps() {
    #expect(CollectionSteps.next(256, seconds: 0) == 512)
    #expect(CollectionSteps.next(256, seconds: 0.01) == 512)
    #expect(CollectionSteps.next(256, seconds: 0.05) == 256)
    #expect(CollectionSteps.next(256, seconds: 10) == 128)
    #expect(CollectionSteps.next(8192, seconds: 0) == 8192)
    #expect(CollectionSteps.next(16, seconds: 10) == 16)
    for isTight in [false, true] {
      var sizes: [Int] = []
      var seen: [Int] = []
      CollectionSteps(isTight: isTight).each(Array(0..<2000), fixture.time) {
        sizes.append($0.count)
        seen += $0
      }
      #expect(seen == Array(0..<2000))
      #expect(sizes.max() == (isTight ? 32 : 1024))
    }
  }

  @Test("many entries go in few steps, with their blobs and records, and the log is folded in")
  func many() throws {
    let store = try fixture.open()
    for number in 0..<400 {
      try store.publish("k\(number)", number % 2 == 0 ? [UInt8(number % 7)] : noise(90, seed: 1))
    }
    let report = try store.collect(CollectionLimits(maximumEntries: 10))
    #expect(report.entriesRemoved == 390 && report.entriesKept == 10)
    #expect(try store.verifyAll(repair: false).isSound)
    #expect(try store.records.all().count == 10)
    #expect(try store.statistics().entries == 10)
    let log = try LocalFileSystem().sizeBytes(of: fixture.directory + "/index.sqlite-wal") ?? 0
    #expect(log <= StoreOpening.logBytes)
    #expect(try store.collect(CollectionLimits(maximumEntries: 10)).isEmpty)
  }

  @Test("a disk that fails while files are removed leaves a sound store")
  func failingDisk() throws {
    let store = try fixture.open()
    try store.publish("a", noise(100_000, seed: 1))
    try store.publish("b", noise(100_000, seed: 2))
    fixture.files.fail(atStep: 1)
    #expect(throws: GranaryError.self) { try store.collect(CollectionLimits(maximumBytes: 0)) }
    fixture.files.recover()
    #expect(try store.statistics().entries == 0)
    #expect(try store.collect(CollectionLimits()).bytesFreed > 0)
    #expect(fixture.files.paths.isEmpty)
    #expect(try store.publish("a", noise(100_000, seed: 1)) == 2)
    #expect(try store.lookup(key: key("a")) != nil)
  }

  @Test(
    "of finished searches the last of each entry stays, up to a number, and its candidates with it")
  func searches() throws {
    let store = try fixture.open()
    let candidate = CandidateRecord(
      id: 0, parents: [], proposer: "draft", schedule: Schedule(kernels: []),
      outcome: .illegal(reason: "x"), island: 0)
    func search(_ name: String, finished: Bool = true) throws -> Int64 {
      let id = try store.startSearch(key: key(name), seed: 1, configuration: "", checkpoint: "")
      fixture.time.advance(seconds: 1)
      try store.saveSearch(
        id, checkpoint: "", candidates: [candidate], finished: finished ? "target" : nil)
      return id
    }
    for name in ["a", "b", "c"] { try store.publish(name, noise(100, seed: 1, name)) }
    let (old, last) = (try search("a"), try search("a"))
    let others = [try search("b"), try search("c", finished: false), try search("gone")]
    let dry = try store.collect(CollectionLimits(), dryRun: true)
    #expect(dry.searchesRemoved == 2 && !dry.isEmpty)
    #expect(try store.candidates(search: old).count == 1)
    #expect(try store.collect(CollectionLimits()).searchesRemoved == 2)
    #expect(try store.finishedSearches(limit: 10).map(\.id) == [others[0], last])
    #expect(try store.candidates(search: old).isEmpty)
    #expect(try store.candidates(search: others[2]).isEmpty)
    #expect(try store.candidates(search: last).count == 1)
    #expect(try store.collect(CollectionLimits(finishedSearches: 1)).searchesRemoved == 1)
    #expect(try store.finishedSearches(limit: 10).map(\.id) == [others[0]])
    #expect(try store.unfinishedSearches().map(\.id) == [others[1]])
    #expect(try store.collect(CollectionLimits(finishedSearches: 1)).isEmpty)
  }
}

private func noise(_ count: Int, seed: UInt64, _ name: String) -> [UInt8] {
  noise(count, seed: name.utf8.reduce(seed) { $0 &* 31 &+ UInt64($1) })
}
