import CacheSchema
import GRDB
import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import CacheStore

@Suite struct OpeningTests {
  let fixture = StoreFixture()

  /// Opens the store that a Granary of another schema wrote.
  private func open(version: Int) throws -> CacheStore {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let index =
      root.joined(separator: "/") + "/cache-schema/fixtures/version-\(version)/index.sqlite"
    let files = LocalFileSystem()
    let bytes = try #require(try files.read(index, limitBytes: 1 << 20))
    try files.write(bytes, atomicallyTo: fixture.directory + "/index.sqlite")
    return try fixture.open()
  }

  @Test("migrating again changes nothing")
  func migrations() throws {
    let database = try DatabaseQueue()
    try CacheSchema.migrator { _ in }.migrate(database)
    let before = try schema(database)
    try CacheSchema.migrator { _ in }.migrate(database)
    #expect(try schema(database) == before)
    let version = try database.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    #expect(version == CacheSchema.version)
  }

  @Test("a closed store is one file, without a write-ahead log")
  func closing() throws {
    let store = try fixture.open()
    for index in 0..<20 { try store.publish("k\(index)", noise(2000, seed: UInt64(index))) }
    try store.close()
    let files = LocalFileSystem()
    #expect(try files.sizeBytes(of: fixture.directory + "/index.sqlite-wal") ?? 0 == 0)
    #expect(try files.sizeBytes(of: fixture.directory + "/index.sqlite") ?? 0 > 40_000)
  }

  @Test("closing waits for what is being read, and what comes later is refused")
  func closingUnderLoad() async throws {
    let store = try fixture.open()
    for index in 0..<20 { try store.publish("k\(index)", noise(2000, seed: UInt64(index))) }
    let refused = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask {
          do {
            while true {
              #expect(try store.entries().count == 20)
              await Task.yield()
            }
          } catch {
            return (error as? GranaryError)?.code == .storeClosed
          }
        }
      }
      group.addTask {
        do {
          try store.close()
          return true
        } catch {
          return false
        }
      }
      return await group.reduce(into: [Bool]()) { $0.append($1) }
    }
    #expect(refused == [Bool](repeating: true, count: 9))
    #expect(throws: GranaryError.self) { try store.entries() }
  }

  /// Written by `granary get "relu(x: f32[4])" --wait` and `granary get "exp(x: f32[3])"`, the first of them pinned.
  @Test("a store that version 1 wrote opens, with its kernels, pins, evidence and searches")
  func version1() throws {
    let store = try open(version: 1)
    let entries = try store.entries().sorted { $0.name < $1.name }
    #expect(entries.map(\.name) == ["exp", "relu"])
    #expect(entries.map(\.pinnedRevision) == [nil, 2])
    #expect(entries.allSatisfy { $0.parts.map(\.name).contains("hardware") })
    for entry in entries {
      let kernel = try #require(try store.lookup(key: entry.key))
      #expect(kernel.revision == 2 && kernel.evidence.timing != nil)
      #expect(Digest(of: kernel.artifact.bytes) == kernel.artifact.manifest.digest)
      #expect(try store.source(artifact: kernel.artifact.manifest.digest) != nil)
      let search = try #require(try store.searches(key: entry.key).first)
      #expect(search.isFinished && search.reason != nil)
      #expect(try store.candidates(search: search.id).count == 3)
    }
    // Version 1 wrote no records: a collection, or a repair, writes them.
    #expect(try store.verifyAll(repair: false).recordsDamaged == 4)
    _ = try store.collect(CollectionLimits())
    #expect(try store.verifyAll(repair: false).isSound)
    #expect(try store.publish("new", [1]) == 1)
    let version = try store.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    #expect(version == CacheSchema.version)
  }

  /// Written by a daemon of schema 2 that took in a signed bundle of `relu(x: f32[4])` and `exp(x: f32[3])`, made
  /// `neg(x: f32[5])` for the namespace `team`, pinned and leased the first, and had a lock file of the second.
  @Test("a store that version 2 wrote opens, with its origins, signatures, leases and lock files")
  func version2() throws {
    let store = try open(version: 2)
    let entries = try store.entries().sorted { $0.name < $1.name }
    #expect(entries.map(\.name) == ["exp", "neg", "relu"])
    #expect(entries.map(\.namespace) == ["", "team", ""])
    #expect(entries.map(\.pinnedRevision) == [nil, nil, 1])
    for (entry, origin) in zip(entries, ["bundle", "", "bundle"]) {
      let kernel = try #require(try store.lookup(key: entry.key))
      #expect(kernel.origin == origin)
      #expect(Digest(of: kernel.artifact.bytes) == kernel.artifact.manifest.digest)
      #expect(try store.shareable(key: entry.key)?.signatures.isEmpty == (origin == ""))
    }
    // The lease and the lock file keep what they name, whatever the limits.
    let report = try store.collect(CollectionLimits(maximumBytes: 0))
    #expect(report.entriesProtected == 2)
    #expect(try store.entries().map(\.name).sorted() == ["exp", "relu"])
    #expect(try store.verifyAll(repair: false).isSound)
    let version = try store.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
    #expect(version == CacheSchema.version)
  }

  /// Written by `granary get "relu(x: f32[4])" --wait` and the same of `exp(x: f32[3])`, the first of them pinned.
  @Test(
    "a store that version 3 or 4 wrote opens, with its packed texts and its dictionary",
    arguments: [3, 4])
  func packed(version: Int) throws {
    let store = try open(version: version)
    let entries = try store.entries().sorted { $0.name < $1.name }
    #expect(entries.map(\.name) == ["exp", "relu"])
    #expect(entries.map(\.pinnedRevision) == [nil, 2])
    for entry in entries {
      #expect(entry.spec.contains("granary_spec") && entry.parts.map(\.name).contains("hardware"))
      let kernel = try #require(try store.lookup(key: entry.key))
      #expect(kernel.revision == 2 && kernel.evidence.timing != nil)
      #expect(try store.source(artifact: kernel.artifact.manifest.digest) != nil)
    }
    #expect(try store.publish("new", [1]) == 1)
  }

  private func schema(_ database: DatabaseQueue) throws -> [String] {
    try database.read {
      try String.fetchAll($0, sql: "SELECT coalesce(sql, name) FROM sqlite_master ORDER BY name")
    }
  }

  @Test("a store of a newer version is refused and left as it is")
  func newerVersion() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    try store.using { pool in
      try pool.writeWithoutTransaction {
        try $0.execute(sql: "PRAGMA user_version = \(CacheSchema.version + 1)")
      }
    }
    try store.close()
    let files = LocalFileSystem()
    let path = fixture.directory + "/index.sqlite"
    let before = try files.read(path, limitBytes: 1 << 24)
    for _ in 0..<2 {
      let error = #expect(throws: GranaryError.self) { try fixture.open() }
      #expect(error?.code == .storeTooNew)
      #expect(error?.message.contains("newer") == true)
    }
    let names = try files.list(fixture.directory)
    #expect(names.contains("index.sqlite") && !names.contains("quarantine"))
    #expect(!names.contains(StoreOpening.uncleanMarker))
    #expect(try files.read(path, limitBytes: 1 << 24) == before)
    // The newer one, once it is back, has all of it; and without the index the records give it to any version.
    let newer = try DatabaseQueue(path: path)
    try newer.writeWithoutTransaction {
      try $0.execute(sql: "PRAGMA user_version = \(CacheSchema.version)")
    }
    try newer.close()
    let back = try fixture.open()
    #expect(try back.lookup(key: key("a"))?.artifact.bytes == [1])
    try back.close()
    for suffix in ["", "-wal", "-shm"] { try files.remove(path + suffix) }
    #expect(try fixture.open().lookup(key: key("a"))?.artifact.bytes == [1])
  }

  @Test("a directory that cannot be made is an error of the environment")
  func noDirectory() throws {
    try LocalFileSystem().write([1], atomicallyTo: fixture.directory + "/file")
    let error = #expect(throws: GranaryError.self) {
      try CacheStore.open(directory: fixture.directory + "/file/store")
    }
    #expect(error?.responsible == .environment)
  }

  @Test(
    "what was acknowledged is served after a disk that filled up at any step", arguments: 0..<20)
  func fullDisk(step: Int) throws {
    var store: CacheStore? = try fixture.open()
    fixture.files.fail(atStep: step)
    var acknowledged: [String] = []
    for name in ["a", "b", "c", "d", "e"] {
      let bytes = noise(70_000, seed: UInt64(name.utf8.first ?? 0))
      do {
        try store?.publish(name, bytes)
        acknowledged.append(name)
      } catch let error as GranaryError {
        #expect(error.code == .diskFull)
      }
    }
    // The artifact and the record take three steps each.
    #expect(acknowledged.count == step / 6)
    fixture.files.recover()
    store = nil
    let reopened = try fixture.open()
    for name in acknowledged {
      let bytes = noise(70_000, seed: UInt64(name.utf8.first ?? 0))
      #expect(try reopened.lookup(key: key(name))?.artifact.bytes == bytes)
    }
    #expect(try reopened.entries().count == acknowledged.count)
    #expect(try reopened.verifyAll(repair: false).isSound)
  }

  @Test("readers see whole revisions while a writer publishes and collects")
  func concurrency() async throws {
    let store = try fixture.open()
    try store.publish("a", noise(70_000, seed: 1))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for number in 2...60 {
          let size = number % 3 == 0 ? 100 : 70_000
          #expect(try store.publish("a", noise(size, seed: UInt64(number))) == number)
          if number % 10 == 0 { _ = try store.collect(CollectionLimits()) }
        }
      }
      for _ in 0..<3 {
        group.addTask {
          var last = 0
          while last < 60 {
            try Task.checkCancellation()
            // A collection may take the revision away between its row and its file.
            guard let kernel = try store.lookup(key: key("a")) else { continue }
            #expect(kernel.revision >= last)
            #expect(kernel.artifact.manifest.digest == Digest(of: kernel.artifact.bytes))
            last = kernel.revision
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try store.counters()["store.blobs.quarantined"] == nil)
    #expect(try store.verifyAll(repair: false).isSound)
  }
}
