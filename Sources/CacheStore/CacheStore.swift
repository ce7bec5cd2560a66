import GRDB
package import KernelSpec
package import Support
import Synchronization

/// The local store: an index in SQLite, and compressed blobs in the index or in files.
///
/// One process has a store open at a time. Every method may be called from any thread and blocks it
/// for the time of the disk operation. Methods throw ``GranaryError`` with a `store-…` code,
/// `disk-full`, `not-writable` or `system`. A corrupt or missing blob, or a damaged row, is a miss
/// and never an error.
package final class CacheStore: Sendable {
  /// SQLite's own size, and that of the writer while it removes much.
  private static let cacheKibibytes = 2000
  private static let collectingCacheKibibytes = 32 << 10
  private static let collectingLogPages = 2048

  package let directory: String
  let fileSystem: any FileSystem
  let time: any TimeSource
  private let pool: DatabasePool
  let packer: TextPacker
  private let gate = UseGate()
  private let lock: FileLock
  /// Held while files and index change together, so that a collection never removes a file whose
  /// row is about to be committed.
  let changing = Mutex(())
  /// Held by the one collection that runs.
  let collecting = Mutex(())
  let reserve: Reserve
  private let onRemoval = Mutex<(@Sendable ([Digest]) -> Void)?>(nil)
  private let bounds = Mutex(StoreBounds())
  /// Tells the one who listens that the store has grown beyond what its limits allow.
  package let growth: AsyncStream<Void>
  private let grown: AsyncStream<Void>.Continuation
  /// Damage was met: the next opening must look at the whole database.
  private let damaged = Atomic(false)

  private init(
    directory: String, fileSystem: any FileSystem, time: any TimeSource, pool: DatabasePool,
    packer: TextPacker, lock: FileLock
  ) {
    self.directory = directory
    self.fileSystem = fileSystem
    self.time = time
    self.pool = pool
    self.packer = packer
    self.lock = lock
    reserve = Reserve(directory: directory)
    (growth, grown) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// Registers the function that is told which keys a collection removed, after each step of it.
  package func onRemoval(_ listener: @escaping @Sendable ([Digest]) -> Void) {
    onRemoval.withLock { $0 = listener }
  }

  func announceRemoval(of keys: [Digest]) { onRemoval.withLock { $0 }?(keys) }

  /// How large the store may become, and what is removed when it would become larger.
  package var limits: StoreBounds { bounds.withLock { $0 } }

  package func limit(_ bounds: StoreBounds) { self.bounds.withLock { $0 = bounds } }

  func announceGrowth() { grown.yield() }

  /// Opens or creates the store in a directory. A damaged database is moved to `quarantine`, what
  /// can be believed is taken from it, and the store opens with that.
  ///
  /// - Throws: `store-locked` when it is open elsewhere, `store-too-new` for a newer schema.
  package static func open(
    directory: String, fileSystem: any FileSystem = LocalFileSystem(),
    clock: any TimeSource = SystemTime()
  ) throws -> CacheStore {
    try LocalFileSystem().createDirectory(directory)
    guard let lock = try FileLock(path: directory + "/lock") else {
      throw GranaryError(
        .storeLocked, "the store \(directory) is open in another process; stop it first",
        responsible: .environment)
    }
    let packer = TextPacker()
    let opening = StoreOpening(
      directory: directory, blobs: fileSystem, time: clock, packer: packer)
    let pool = try StoreOpening.translating { try opening.pool() }
    let store = CacheStore(
      directory: directory, fileSystem: fileSystem, time: clock, pool: pool, packer: packer,
      lock: lock)
    try store.reserve.restore()
    return store
  }

  /// Closes the database after the uses that have begun, and notes that it was left in order, if it was. Using
  /// the store afterwards throws.
  package func close() throws {
    try gate.close { try StoreOpening.translating(closePool) }
    lock.release()
  }

  private func closePool() throws {
    // Folds the write-ahead log into the database; where the disk refuses, the next opening does.
    _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
    try pool.close()
    if damaged.load(ordering: .relaxed) { return }
    try LocalFileSystem().remove(directory + "/" + StoreOpening.uncleanMarker)
  }

  /// Reads from one consistent state.
  func read<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try using { try $0.read(body) }
  }

  /// Reads; what damage hides is missing.
  func readUnlessDamaged<Value>(_ body: (Database) throws -> Value?) throws -> Value? {
    do {
      return try read(body)
    } catch let error as GranaryError where error.code == .storeDamaged {
      return nil
    }
  }

  /// Makes the next opening look at the whole database.
  func noteDamage() { damaged.store(true, ordering: .relaxed) }

  /// Gives the pages that became free back to the file system, some at a time, and then what the log does not need.
  func shrink(_ steps: CollectionSteps) throws {
    let free = try using { try $0.read { try Int.fetchOne($0, sql: "PRAGMA freelist_count") } }
    try steps.each(Array(0..<(free ?? 0)), time, first: 32) { pages in
      try using { pool in
        try pool.writeWithoutTransaction {
          try $0.execute(sql: "PRAGMA incremental_vacuum(\(pages.count))")
        }
      }
    }
    try using { pool in
      try pool.writeWithoutTransaction { database in
        // Writers wait meanwhile. Where a reader is in the way for longer, a later commit does it.
        try database.execute(sql: "PRAGMA busy_timeout = 100")
        _ = try? database.checkpoint(.truncate)
        try database.execute(sql: "PRAGMA busy_timeout = \(StoreOpening.busySeconds * 1000)")
      }
    }
  }

  /// Lets the writer keep the pages that a large transaction changes in memory until it ends, which otherwise are written
  /// more than once, and lets the log become longer meanwhile.
  func withLargeTransactions<Value>(_ steps: CollectionSteps, _ body: () throws -> Value) throws
    -> Value
  {
    if steps.isTight { return try body() }
    func set(cacheKibibytes: Int, logPages: Int, logBytes: Int) throws {
      try using { pool in
        try pool.writeWithoutTransaction {
          try $0.execute(
            sql: """
              PRAGMA cache_size = -\(cacheKibibytes); PRAGMA shrink_memory;
              PRAGMA wal_autocheckpoint = \(logPages); PRAGMA journal_size_limit = \(logBytes)
              """)
        }
      }
    }
    try set(
      cacheKibibytes: Self.collectingCacheKibibytes, logPages: Self.collectingLogPages,
      logBytes: -1)
    defer {
      try? set(
        cacheKibibytes: Self.cacheKibibytes, logPages: StoreOpening.logPages,
        logBytes: StoreOpening.logBytes)
    }
    return try body()
  }

  /// Uses the database, which stays open until `body` returns.
  func using<Value>(_ body: (DatabasePool) throws -> Value) throws -> Value {
    do {
      return try gate.use { try StoreOpening.translating { try body(pool) } }
    } catch let error as GranaryError where error.code == .storeDamaged {
      noteDamage()
      throw error
    }
  }

  /// Writes in one transaction. A `durable` one survives a power failure once this returns; another
  /// survives the end of the process.
  func write<Value>(durable: Bool = false, _ body: (Database) throws -> Value) throws -> Value {
    try using { pool in
      try pool.writeWithoutTransaction { database in
        try database.execute(sql: "PRAGMA synchronous = \(durable ? "FULL" : "NORMAL")")
        return try Self.transaction(in: database, body)
      }
    }
  }

  private static func transaction<Value>(
    in database: Database, _ body: (Database) throws -> Value
  ) throws -> Value {
    var result: Value?
    try database.inTransaction(.immediate) {
      result = try body(database)
      return .commit
    }
    guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
    return result
  }
}
