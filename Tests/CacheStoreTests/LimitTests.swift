import GRDB
import KernelSpec
import SimulatedFiles
import Support
import Synchronization
import Testing

@testable import CacheStore

@Suite struct LimitTests {
  let fixture = StoreFixture()

  private func names(_ store: CacheStore) throws -> [String] {
    try store.entries().map(\.name).sorted()
  }

  /// Publishes one entry for each name, a minute apart; all blobs are of about equal size.
  private func filled(_ names: [String], namespace: (String) -> String = { _ in "" }) throws
    -> CacheStore
  {
    let store = try fixture.open()
    for name in names {
      try store.publish(
        name, noise(10_000, seed: UInt64(name.utf8.reduce(0) { $0 * 31 + Int($1) })),
        namespace: namespace(name))
      fixture.time.advance(seconds: 60)
    }
    return store
  }

  @Test("a collection that a limit begins goes on to the low watermark, and none begins below it")
  func watermark() throws {
    let store = try filled((0..<10).map { "k\($0)" })
    let all = try store.storedBytes()
    let limits = CollectionLimits(maximumBytes: all, lowWatermark: 0.55)
    #expect(try store.collect(limits).isEmpty)
    var tighter = limits
    tighter.maximumBytes = all - 1
    let report = try store.collect(tighter)
    #expect(report.entriesRemoved == 5 && report.entriesKept == 5)
    #expect(try names(store) == ["k5", "k6", "k7", "k8", "k9"])
    #expect(try store.storedBytes() * 100 <= all * 55)
  }

  @Test("the number of entries is limited, the oldest go")
  func count() throws {
    let store = try filled(["a", "b", "c", "d"])
    #expect(try store.collect(CollectionLimits(maximumEntries: 4)).isEmpty)
    #expect(try store.collect(CollectionLimits(maximumEntries: 3)).entriesRemoved == 1)
    #expect(try names(store) == ["b", "c", "d"])
  }

  @Test("a namespace's limit takes from that namespace alone, and from nobody who has none")
  func namespaces() throws {
    let store = try filled(["n1", "n2", "x1", "x2", "x3", "y1"]) {
      $0.hasPrefix("n") ? "" : String($0.prefix(1))
    }
    let one = try store.storedBytes() / 6
    let report = try store.collect(CollectionLimits(namespaceBytes: one * 3 / 2))
    #expect(report.entriesRemoved == 2)
    #expect(try names(store) == ["n1", "n2", "x3", "y1"])
  }

  @Test("a hit from another namespace makes an entry everybody's")
  func shared() throws {
    let store = try filled(["a"]) { _ in "team" }
    func hit(_ namespace: String) throws {
      _ = try store.note(
        RequestRecord(
          time: fixture.time.wallSeconds, key: key("a"), outcome: "hit", reason: "",
          latencySeconds: 0), namespace: namespace, counting: [:])
    }
    try hit("team")
    #expect(try store.entries().map(\.namespace) == ["team"])
    try hit("other")
    #expect(try store.entries().map(\.namespace) == [""])
  }

  @Test("a filter names what may go; without a limit all of it goes")
  func filters() throws {
    let store = try filled(["a", "b", "c"]) { $0 == "c" ? "team" : "" }
    for filter in [
      EntryFilter(namespace: "none"), EntryFilter(hardware: "absent"),
      EntryFilter(operatorName: "relu"), EntryFilter(toolchain: "gcc"), EntryFilter(keys: []),
    ] {
      #expect(try store.collect(CollectionLimits(filter: filter, removesMatching: true)).isEmpty)
    }
    let team = CollectionLimits(
      filter: EntryFilter(namespace: "team", hardware: "test", toolchain: "cc"),
      removesMatching: true)
    #expect(try store.collect(team, dryRun: true).entriesRemoved == 1)
    #expect(try store.collect(team).entriesRemoved == 1)
    #expect(try names(store) == ["a", "b"])
    let chosen = EntryFilter(keys: [key("b")])
    let report = try store.collect(CollectionLimits(maximumBytes: 0, filter: chosen))
    #expect(report.entriesRemoved == 1)
    #expect(try names(store) == ["a"])
  }

  @Test("an operator is found by its name, with or without overload, and not by a part of it")
  func operators() throws {
    let store = try fixture.open()
    for op in ["aten.relu.default", "aten.relu6.default", "aten.softmax.int"] {
      try store.publish(op, Array(op.utf8), spec: "{\"nodes\":[{\"op\":\"\(op)\"}]}")
    }
    func found(_ name: String) throws -> Int {
      try store.collect(
        CollectionLimits(filter: EntryFilter(operatorName: name), removesMatching: true),
        dryRun: true
      ).entriesRemoved
    }
    #expect(try found("relu") == 1)
    #expect(try found("aten.relu6") == 1)
    #expect(try found("softmax.int") == 1)
    #expect(try found("rel") == 0)
  }

  @Test("leases protect until they end, and lock files as long as they are there")
  func protection() throws {
    let store = try filled(["leased", "locked", "free"])
    _ = try store.lease(key: key("leased"), holder: "me", seconds: 100)
    #expect(throws: GranaryError.self) {
      try store.lease(key: key("absent"), holder: "me", seconds: 100)
    }
    let path = fixture.directory + "/granary.lock"
    let text = "{\"granary_lock\":1,\"kernels\":[{\"key\":\"\(key("locked"))\",\"revision\":1}]}"
    #expect(throws: GranaryError.self) { try store.addLockFile(path) }
    try LocalFileSystem().write(Array(text.utf8), atomicallyTo: path)
    try store.addLockFile(path)
    let entries = try store.entries()
    #expect(entries.first { $0.name == "leased" }?.protection == [.lease])
    #expect(entries.first { $0.name == "locked" }?.protection == [.lockFile])
    let all = CollectionLimits(maximumBytes: 0)
    #expect(try store.collect(all).entriesRemoved == 1)
    #expect(try names(store) == ["leased", "locked"])
    fixture.time.advance(seconds: 101)
    #expect(try store.collect(all).entriesRemoved == 1)
    try LocalFileSystem().remove(path)
    #expect(try store.collect(all).isEmpty, "the disk with the lock file may only be away")
    fixture.time.advance(seconds: CacheStore.lockFileGraceSeconds + 1)
    #expect(try store.collect(all).entriesRemoved == 1)
    #expect(try store.lockFiles().isEmpty)
  }

  @Test("a revision that a lock file names stays beyond the newest two")
  func lockedRevision() throws {
    let store = try fixture.open()
    for value in 1...5 { try store.publish("a", [UInt8(value)]) }
    let path = fixture.directory + "/granary.lock"
    let artifact = Digest(of: [UInt8(3)])
    let text = """
      {"granary_lock":1,"kernels":[{"key":"\(key("a"))","revision":2},
        {"key":"\(key("a"))","revision":77,"artifact":"\(artifact)"}]}
      """
    try LocalFileSystem().write(Array(text.utf8), atomicallyTo: path)
    try store.addLockFile(path)
    #expect(try store.collect(CollectionLimits()).revisionsRemoved == 1)
    #expect(try store.revisions(key: key("a")).map(\.number) == [5, 4, 3, 2])
  }

  @Test("beyond the hard limit room is made, and when all is protected nothing is taken in")
  func hardLimit() throws {
    let store = try filled(["a", "b", "c"])
    let bytes = try store.storedBytes()
    store.limit(
      StoreBounds(collection: CollectionLimits(maximumBytes: bytes), hardBytes: bytes + 100))
    let gone = Mutex<[Digest]>([])
    store.onRemoval { keys in gone.withLock { $0 += keys } }
    store.limit(
      StoreBounds(
        collection: CollectionLimits(maximumBytes: bytes * 2 / 3), hardBytes: bytes + 100))
    try store.publish("d", noise(10_000, seed: 1001))
    #expect(gone.withLock { $0 } == [key("a")])
    #expect(try store.storedBytes() <= bytes + 100)
    for name in ["b", "c", "d"] { try store.pin(key: key(name)) }
    let refusal = #expect(throws: GranaryError.self) {
      try store.publish("e", noise(10_000, seed: 1002))
    }
    #expect(refusal?.code == .storeFull)
    #expect(try names(store) == ["b", "c", "d"])
    #expect(try store.storedBytes() <= bytes + 100)
  }

  @Test("limits hold and protection lasts whatever happens", arguments: [1, 2, 3] as [UInt64])
  func model(seed: UInt64) throws {
    let store = try fixture.open()
    var random = SeededRandom(seed: seed)
    let hard = 200_000
    store.limit(
      StoreBounds(
        collection: CollectionLimits(maximumBytes: 120_000, lowWatermark: 0.8), hardBytes: hard))
    var pinned: Set<String> = []
    for step in 0..<150 {
      let name = "k\(random.next() % 20)"
      switch random.next() % 6 {
      case 0 where pinned.count < 3:
        if (try? store.pin(key: key(name))) != nil { pinned.insert(name) }
      case 1:
        if (try? store.unpin(key: key(name))) != nil { pinned.remove(name) }
      case 2: _ = try store.collect(store.limits.collection)
      case 3: try store.touch([key(name)])
      default: _ = try? store.publish(name, noise(Int(random.next() % 30_000), seed: random.next()))
      }
      fixture.time.advance(seconds: Double(random.next() % 100))
      #expect(try store.storedBytes() <= hard, "seed \(seed), step \(step)")
      for name in pinned {
        #expect(try store.lookup(key: key(name)) != nil, "seed \(seed), step \(step): \(name)")
      }
    }
    let counted = try store.read {
      try Int.fetchOne($0, sql: "SELECT sum(stored_bytes) FROM blobs")
    }
    #expect(try store.storedBytes() == counted ?? 0)
    #expect(try store.verifyAll(repair: false).isSound)
  }

  @Test("the reserve is made with the store and comes back after a collection")
  func reserve() throws {
    let store = try fixture.open()
    let path = fixture.directory + "/reserve"
    let files = LocalFileSystem()
    #expect(try files.sizeBytes(of: path) == Reserve.sizeBytes)
    try store.reserve.release()
    #expect(try files.sizeBytes(of: path) == nil)
    _ = try store.collect(CollectionLimits())
    #expect(try files.sizeBytes(of: path) == Reserve.sizeBytes)
  }
}
