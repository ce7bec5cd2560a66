import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// How much one transaction of a collection removes: writers wait for no more than that.
  private static let batchSize = 256

  /// Removes what the limits leave no room for, blobs that nothing refers to and files that a crash
  /// left behind.
  ///
  /// Decides on one state of the store and removes in small steps, between which others read and
  /// write. Before each step it looks again: what was used, published or protected since stays.
  ///
  /// - Parameter dryRun: only tell what would go.
  /// - Returns: what went. An error in the middle leaves a sound store, and the next collection
  ///   goes on.
  package func collect(_ limits: CollectionLimits, dryRun: Bool = false) throws -> CollectionReport
  {
    if dryRun { return try dryCollection(limits) }
    return try collecting.withLock { _ in
      do {
        return try collected(limits)
      } catch let error as GranaryError where error.code == .diskFull {
        // On a full disk even removing needs room, which is kept for this.
        try reserve.release()
        return try collected(limits)
      }
    }
  }

  private func dryCollection(_ limits: CollectionLimits) throws -> CollectionReport {
    let now = time.wallSeconds
    let (contents, plan, searches) = try read { database in
      let contents = try StoreContents(of: database, limits, now: now)
      let plan = contents.plan(limits, now: now)
      let gone = plan.removedEntries.map { contents.entries[$0].id }
      return (contents, plan, try Self.staleSearches(limits, without: gone, in: database))
    }
    var report = contents.report(of: plan)
    report.searchesRemoved = searches.count
    for file in try BlobFiles.all(in: directory, fileSystem) {
      let blob = file.digest.flatMap { contents.blobs[$0] }
      if blob != nil, blob?.isInline == false { continue }
      if file.digest != nil, blob == nil { report.blobsRemoved += 1 }
      report.bytesFreed += try fileSystem.sizeBytes(of: file.path) ?? 0
    }
    return report
  }

  private func collected(_ limits: CollectionLimits) throws -> CollectionReport {
    let now = time.wallSeconds
    var report = CollectionReport()
    try readLockFiles()
    if try reserve.isNeeded() { try reserve.release() }
    let (entries, plan) = try read { database in
      let contents = try StoreContents(of: database, limits, now: now)
      return (contents.entries, contents.plan(limits, now: now))
    }
    try removeEntries(plan.removedEntries.map { entries[$0] }, &report)
    try removeRevisions(plan.removedRevisions, &report)
    try removeSearches(limits, &report)
    let removed = try removeBlobs(&report)
    try removeFiles(counted: removed, &report)
    try tidyRecords()
    try write { try $0.execute(sql: "DELETE FROM leases WHERE expires <= ?", arguments: [now]) }
    report.entriesKept = entries.count - report.entriesRemoved
    report.entriesProtected = plan.protectedEntries
    try shrink()
    try reserve.restore()
    return report
  }

  private func batches<Value>(_ values: [Value], _ body: (ArraySlice<Value>) throws -> Void)
    rethrows
  {
    for start in stride(from: 0, to: values.count, by: Self.batchSize) {
      try body(values[start..<min(start + Self.batchSize, values.count)])
    }
  }

  private func removeEntries(
    _ entries: [CollectionPlan.Entry], _ report: inout CollectionReport
  ) throws {
    try batches(entries) { batch in
      let now = time.wallSeconds
      let gone = try write(durable: true) { database in
        try batch.compactMap { entry in
          try Self.removeUnlessChanged(entry, now: now, in: database)
        }
      }
      report.entriesRemoved += gone.count
      report.entriesSpared += batch.count - gone.count
      if !gone.isEmpty { announceRemoval(of: gone) }
    }
  }

  /// - Returns: the key of an entry that went.
  private static func removeUnlessChanged(
    _ entry: CollectionPlan.Entry, now: Double, in database: Database
  ) throws -> Digest? {
    let key = try Data.fetchOne(
      database,
      sql: """
        SELECT key FROM entries WHERE id = ?2 AND last_used <= ?3
          AND NOT \(StoreContents.isProtected)
          AND coalesce((SELECT max(number) FROM revisions WHERE entry = entries.id), 0) = ?4
        """, arguments: [now, entry.id, entry.lastUsed, entry.revisions.first?.number ?? 0])
    guard let key = Digest(column: key) else { return nil }
    try database.execute(sql: "DELETE FROM entries WHERE id = ?", arguments: [entry.id])
    return key
  }

  private func removeRevisions(
    _ revisions: [(entry: Int64, number: Int)], _ report: inout CollectionReport
  ) throws {
    try batches(revisions) { batch in
      report.revisionsRemoved += try write(durable: true) { database in
        var count = 0
        for revision in batch {
          try database.execute(
            sql: """
              DELETE FROM revisions WHERE entry = ?1 AND number = ?2 AND NOT \(StoreContents.isLocked)
                AND number IS NOT (SELECT pinned_revision FROM entries WHERE id = ?1)
              """, arguments: [revision.entry, revision.number])
          count += database.changesCount
        }
        return count
      }
    }
  }

  /// Finished searches of keys without an entry, those before the last of a key, and those that
  /// ended first beyond the number that is kept.
  private static func staleSearches(
    _ limits: CollectionLimits, without removed: [Int64], in database: Database
  ) throws -> [Int64] {
    try Int64.fetchAll(
      database,
      sql: """
        WITH kept AS (
          SELECT max(searches.id) AS id, max(finished) AS finished FROM searches
          JOIN entries ON entries.key = searches.key
          WHERE state = 'finished' AND entries.id NOT IN (SELECT value FROM json_each(?1))
          GROUP BY searches.key ORDER BY finished DESC LIMIT ?2)
        SELECT id FROM searches WHERE state = 'finished' AND id NOT IN (SELECT id FROM kept)
        """, arguments: [try StoreJSON.encode(removed), limits.finishedSearches])
  }

  private func removeSearches(_ limits: CollectionLimits, _ report: inout CollectionReport) throws {
    let searches = try read { try Self.staleSearches(limits, without: [], in: $0) }
    for search in searches {
      report.searchesRemoved += try write { database in
        try database.execute(
          sql: "DELETE FROM searches WHERE id = ? AND state = 'finished'", arguments: [search])
        return database.changesCount
      }
    }
  }

  /// Removes the rows of blobs that no revision refers to, and then those of sources. A revision comes with its blobs
  /// in one transaction, so none can lose a blob here.
  ///
  /// - Returns: whose bytes were counted.
  private func removeBlobs(_ report: inout CollectionReport) throws -> Set<Digest> {
    try removeWithoutRevision(
      "signatures",
      """
      NOT EXISTS (SELECT 1 FROM entries JOIN revisions ON entry = entries.id
        WHERE entries.key = signatures.key AND number = signatures.revision)
      """, ["key", "revision", "signer"])
    var removed: Set<Digest> = []
    while true {
      let orphans = try read {
        try Int64.fetchAll($0, sql: "SELECT id FROM blobs WHERE \(BlobRow.isOrphan)")
      }
      if orphans.isEmpty { return removed }
      try batches(orphans) { batch in
        // A file must not go before its row has gone for good.
        let gone = try write(durable: true) { try Self.removeOrphans(batch, in: $0) }
        report.blobsRemoved += gone.count { $0.bytes > 0 }
        report.bytesFreed += gone.reduce(0) { $0 + $1.bytes }
        removed.formUnion(gone.compactMap(\.digest))
      }
    }
  }

  private static func removeOrphans(_ blobs: ArraySlice<Int64>, in database: Database) throws
    -> [(digest: Digest?, bytes: Int)]
  {
    let sql =
      "DELETE FROM blobs WHERE id = ? AND \(BlobRow.isOrphan) RETURNING digest, stored_bytes"
    return try blobs.compactMap { blob in
      let row = try Row.fetchOne(database, sql: sql, arguments: [blob])
      return row.map { ($0.digest("digest"), $0.believed("stored_bytes", as: Int.self) ?? 0) }
    }
  }

  /// Removes the rows of a table whose revision is gone. What goes is found while others write, and looked at again.
  private func removeWithoutRevision(_ table: String, _ condition: String, _ columns: [String])
    throws
  {
    let list = columns.joined(separator: ", ")
    let rows = try read {
      try Row.fetchAll($0, sql: "SELECT \(list) FROM \(table) WHERE \(condition)")
    }
    let places = columns.map { "\($0) = ?" }.joined(separator: " AND ")
    try batches(rows) { batch in
      try write { database in
        for row in batch {
          try database.execute(
            sql: "DELETE FROM \(table) WHERE \(places) AND \(condition)",
            arguments: StatementArguments(columns.map { row[$0] as DatabaseValue }))
        }
      }
    }
  }

  /// Removes the files of removed blobs, of blobs that are in the index, and of none.
  private func removeFiles(counted: Set<Digest>, _ report: inout CollectionReport) throws {
    for file in try BlobFiles.all(in: directory, fileSystem) {
      try changing.withLock { _ in
        // Nobody writes a file now, and a file that is in use has its row.
        let row = try file.digest.flatMap { digest in
          try read {
            try Bool.fetchOne(
              $0,
              sql: """
                SELECT contents IS NOT NULL FROM blobs
                WHERE \(BlobRow.isNamed) AND stored_bytes > 0
                """,
              arguments: [digest.column])
          }
        }
        if row == false { return }
        if !(file.digest.map(counted.contains) ?? false) {
          if file.digest != nil, row == nil { report.blobsRemoved += 1 }
          report.bytesFreed += try fileSystem.sizeBytes(of: file.path) ?? 0
        }
        try fileSystem.remove(file.path)
      }
    }
  }
}
