import CacheSchema
import GRDB
import Glibc
import KernelSpec
import Support

/// Opens the database, and rebuilds it when it is damaged.
struct StoreOpening {
  /// Present while the store is open; left behind by a crash.
  static let uncleanMarker = "unclean"
  /// A database up to this size is read as a whole after a crash: in a tenth of a second. In a larger one damage is
  /// found where it is met, by the seals of rows and the digests of blobs, and by `granary fsck`.
  static let thoroughBytes = 64 << 20
  static let leastRoomBytes = 4 << 20
  static let busySeconds = 5
  /// How many pages the write-ahead log may have before it is folded into the database, and how many it keeps then: four
  /// megabytes are some twenty publications.
  static let logPages = 256
  static let logBytes = logPages * 16384
  let directory: String
  /// Where the files of blobs are.
  let blobs: any FileSystem
  let time: any TimeSource
  let packer: TextPacker

  private var path: String { directory + "/index.sqlite" }
  private var marker: String { directory + "/" + Self.uncleanMarker }

  func pool() throws -> DatabasePool {
    let files = LocalFileSystem()
    if let version = versionInHeader(), version > CacheSchema.version { throw tooNew(version) }
    let unclean = try files.sizeBytes(of: marker) != nil
    let bytes = try files.sizeBytes(of: path) ?? 0
    let isNew = bytes == 0
    if isNew { try requireRoom() }
    if !unclean { try files.write([], atomicallyTo: marker) }
    do {
      let pool = try checkedPool(thoroughly: unclean && bytes <= Self.thoroughBytes)
      if isNew {
        // The index may have been lost: what the files tell is taken in.
        try Salvage(from: path, blobs: blobs, in: directory, into: pool, packer).runOnFiles()
      }
      return pool
    } catch let error as DatabaseError where Self.isDamage(error) {
      return try rebuiltPool()
    } catch let error as GranaryError where error.code == .storeTooNew {
      if !unclean { try? files.remove(marker) }
      throw error
    }
  }

  /// A new store needs room for its first pages and their log. One that is there opens on a full disk too, so that a
  /// collection can make room.
  private func requireRoom() throws {
    let free = try blobs.freeBytes(at: directory)
    guard free < Self.leastRoomBytes else { return }
    throw GranaryError(
      .diskFull,
      "there are only \(free >> 10) KiB free for the store in \(directory), and a new one needs "
        + "\(Self.leastRoomBytes >> 10): make room, or choose another directory",
      responsible: .environment)
  }

  private func checkedPool(thoroughly: Bool) throws -> DatabasePool {
    let pool = try DatabasePool(path: path, configuration: configuration)
    do {
      try pool.writeWithoutTransaction { try check($0, thoroughly: thoroughly) }
      let version = try pool.read { try Int.fetchOne($0, sql: "PRAGMA user_version") }
      try CacheSchema.migrator { [packer] in try Version2Rows.move(in: $0, packer) }.migrate(pool)
      if version != CacheSchema.version {
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
      }
      try pool.read(packer.load)
      return pool
    } catch {
      try? pool.close()
      throw error
    }
  }

  /// The schema that the file itself tells, which opening it with SQLite would change; a log beside it may tell more.
  ///
  /// Source: SQLite, "Database File Format", 1.3.
  private func versionInHeader() -> Int? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var header = [UInt8](repeating: 0, count: 72)
    guard pread(descriptor, &header, header.count, 0) == header.count else { return nil }
    func number(at offset: Int) -> Int {
      header[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    return number(at: 68) == CacheSchema.applicationID ? number(at: 60) : nil
  }

  private func tooNew(_ version: Int) -> GranaryError {
    GranaryError(
      .storeTooNew,
      "the store \(directory) has schema \(version); this Granary reads up to "
        + "\(CacheSchema.version): use a newer Granary or another directory",
      responsible: .environment)
  }

  private func check(_ database: Database, thoroughly: Bool) throws {
    let application = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
    let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
    let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
    if tables == 0, application == 0 { return }
    guard application == CacheSchema.applicationID else {
      throw DatabaseError(resultCode: .SQLITE_NOTADB, message: "not a store")
    }
    guard version <= CacheSchema.version else {
      throw tooNew(version)
    }
    if thoroughly {
      let answer = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
      guard answer == "ok" else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: answer)
      }
    }
  }

  /// Moves the damaged database aside and makes a new one of what can be believed.
  private func rebuiltPool() throws -> DatabasePool {
    let files = LocalFileSystem()
    let stamp = "\(Int(time.wallSeconds))"
    var aside = "\(directory)/quarantine/index-\(stamp)"
    var attempt = 1
    while try files.sizeBytes(of: aside) != nil {
      aside = "\(directory)/quarantine/index-\(stamp)-\(attempt)"
      attempt += 1
    }
    try files.createDirectory(aside)
    for suffix in ["", "-wal", "-shm"] where try files.sizeBytes(of: path + suffix) != nil {
      try files.rename(path + suffix, to: "\(aside)/index.sqlite\(suffix)")
    }
    let pool = try checkedPool(thoroughly: false)
    try Salvage(from: aside + "/index.sqlite", blobs: blobs, in: directory, into: pool, packer)
      .run()
    return pool
  }

  private var configuration: Configuration {
    var configuration = Configuration()
    configuration.busyMode = .timeout(Double(Self.busySeconds))
    configuration.prepareDatabase { [packer] database in
      for function in packer.functions { database.add(function: function) }
      if !database.configuration.readonly {
        // What is there already stays byte for byte: one of a newer Granary is only looked at.
        if try Int.fetchOne(database, sql: "PRAGMA page_count") == 0 {
          // What of a page no blob fits into is a quarter as much as with SQLite's own size.
          try database.execute(sql: "PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL")
        }
        try database.execute(
          sql: """
            PRAGMA secure_delete = OFF; PRAGMA wal_autocheckpoint = \(Self.logPages);
            PRAGMA journal_size_limit = \(Self.logBytes)
            """)
      }
      // Not mapped into memory: each reader's map would count against the idle daemon.
      try database.execute(
        sql: "PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
    }
    return configuration
  }

  private static func isDamage(_ error: DatabaseError) -> Bool {
    [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT].contains(error.resultCode)
      || error.extendedResultCode == .SQLITE_IOERR_SHORT_READ
      || (error.resultCode == .SQLITE_ERROR && error.message?.contains("malformed") == true)
  }

  /// Turns SQLite's errors into ``GranaryError``.
  static func translating<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as RowDecodingError {
      throw GranaryError(
        .storeDamaged, "the store's database: \(error)", responsible: .environment,
        underlying: error)
    } catch let error as DatabaseError {
      let code: GranaryError.Code =
        switch error.resultCode {
        case .SQLITE_FULL: .diskFull
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM: .notWritable
        case _ where isDamage(error): .storeDamaged
        default: .storeFailed
        }
      throw GranaryError(
        code, "the store's database: \(error.message ?? error.resultCode.description)",
        responsible: .environment, underlying: error)
    }
  }
}
