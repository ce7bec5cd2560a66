import GRDB
import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// Removes what the limits leave no room for, blobs that nothing refers to and files that a crash
  /// left behind. Publishing waits meanwhile; reading does not.
  ///
  /// - Parameter dryRun: only tell what would go.
  /// - Returns: what went. An error in the middle leaves a sound store, and the next collection
  ///   goes on.
  package func collect(_ limits: CollectionLimits, dryRun: Bool = false) throws -> CollectionReport
  {
    let now = time.wallSeconds
    return try changing.withLock { _ in
      // Plan and removal see one state: `changing` keeps publishes away, the transaction everyone
      // else.
      let (contents, searches) =
        try dryRun
        ? read { database in
          let contents = try StoreContents(of: database)
          let plan = contents.plan(limits, now: now)
          return (contents, try Self.staleSearches(limits, without: plan, in: database))
        }
        : write(durable: true) { database in
          let contents = try StoreContents(of: database)
          let plan = contents.plan(limits, now: now)
          let searches = try Self.staleSearches(limits, without: plan, in: database)
          try Self.apply(plan, to: contents, in: database)
          for search in searches {
            try database.execute(sql: "DELETE FROM searches WHERE id = ?", arguments: [search])
          }
          return (contents, searches)
        }
      let plan = contents.plan(limits, now: now)
      var report = contents.report(of: plan)
      report.searchesRemoved = searches.count
      try removeFiles(contents: contents, kept: plan.keptBlobs, dryRun: dryRun, &report)
      if !dryRun { try shrink() }
      return report
    }
  }

  /// Finished searches of keys without an entry, those before the last of a key, and those that
  /// ended first beyond the number that is kept.
  private static func staleSearches(
    _ limits: CollectionLimits, without plan: CollectionPlan, in database: Database
  ) throws -> [Int64] {
    let removed = try StoreJSON.encode(plan.removedEntries)
    return try Int64.fetchAll(
      database,
      sql: """
        WITH kept AS (
          SELECT max(searches.id) AS id, max(finished) AS finished FROM searches
          JOIN entries ON entries.key = searches.key
          WHERE state = 'finished' AND entries.id NOT IN (SELECT value FROM json_each(?1))
          GROUP BY searches.key ORDER BY finished DESC LIMIT ?2)
        SELECT id FROM searches WHERE state = 'finished' AND id NOT IN (SELECT id FROM kept)
        """, arguments: [removed, limits.finishedSearches])
  }

  private static func apply(
    _ plan: CollectionPlan, to contents: StoreContents, in database: Database
  ) throws {
    for id in plan.removedEntries {
      try database.execute(sql: "DELETE FROM entries WHERE id = ?", arguments: [id])
    }
    for revision in plan.removedRevisions {
      try database.execute(
        sql: "DELETE FROM revisions WHERE entry = ? AND number = ?",
        arguments: [revision.entry, revision.number])
    }
    try database.execute(
      sql: "DELETE FROM sources WHERE artifact NOT IN (SELECT artifact FROM revisions)")
    for digest in contents.blobs.keys where !plan.keptBlobs.contains(digest) {
      try database.execute(sql: "DELETE FROM blobs WHERE digest = ?", arguments: [digest.column])
    }
  }

  /// Removes the files of removed blobs, of blobs that are in the index, and of none.
  private func removeFiles(
    contents: StoreContents, kept: Set<Digest>, dryRun: Bool, _ report: inout CollectionReport
  ) throws {
    for file in try BlobFiles.all(in: directory, fileSystem) {
      if let digest = file.digest {
        if kept.contains(digest), contents.blobs[digest]?.isInline != true { continue }
        if contents.blobs[digest] == nil { report.blobsRemoved += 1 }
      }
      if file.digest.flatMap({ contents.blobs[$0] })?.isInline != false {
        report.bytesFreed += try fileSystem.sizeBytes(of: file.path) ?? 0
      }
      if !dryRun { try fileSystem.remove(file.path) }
    }
  }

  /// Gives the pages that became free back to the file system.
  private func shrink() throws {
    try StoreOpening.translating {
      try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA incremental_vacuum") }
    }
  }
}

/// What a collection needs to know of a store.
private struct StoreContents {
  struct Blob {
    var storedBytes: Int
    var isInline: Bool
  }

  var entries: [CollectionPlan.Entry]
  var blobs: [Digest: Blob]

  init(of database: Database) throws {
    let revisions = try Self.revisions(in: database)
    entries = try Row.fetchAll(
      database,
      sql: """
        SELECT id, last_used, pinned_revision, EXISTS (SELECT 1 FROM searches
          WHERE searches.key = entries.key AND state = 'running') AS searching FROM entries
        """
    ).compactMap { row in
      guard let id = row.believed("id", as: Int64.self) else { return nil }
      return CollectionPlan.Entry(
        id: id, lastUsed: row.believed("last_used", as: Double.self) ?? 0,
        isSearching: row.believed("searching", as: Bool.self) ?? true,
        pinnedRevision: row.believed("pinned_revision", as: Int.self),
        revisions: revisions[id] ?? [])
    }
    blobs = [:]
    let sql = "SELECT digest, stored_bytes, contents IS NOT NULL AS inline FROM blobs"
    for row in try Row.fetchAll(database, sql: sql) {
      guard let digest = row.digest("digest") else { continue }
      blobs[digest] = Blob(
        storedBytes: row.believed("stored_bytes", as: Int.self) ?? 0,
        isInline: row.believed("inline", as: Bool.self) ?? true)
    }
  }

  private static func revisions(in database: Database) throws
    -> [Int64: [CollectionPlan.Revision]]
  {
    var found: [Int64: [CollectionPlan.Revision]] = [:]
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT entry, number, revisions.artifact, source, search_seconds FROM revisions
        LEFT JOIN sources ON sources.artifact = revisions.artifact ORDER BY entry, number DESC
        """)
    for row in rows {
      guard let entry = row.believed("entry", as: Int64.self),
        let number = row.believed("number", as: Int.self)
      else { continue }
      found[entry, default: []].append(
        CollectionPlan.Revision(
          number: number, blobs: [row.digest("artifact"), row.digest("source")].compactMap { $0 },
          searchSeconds: row.believed("search_seconds", as: Double.self) ?? 0))
    }
    return found
  }

  func plan(_ limits: CollectionLimits, now: Double) -> CollectionPlan {
    CollectionPlan(
      entries: entries, sizes: blobs.mapValues(\.storedBytes), limits: limits, now: now)
  }

  func report(of plan: CollectionPlan) -> CollectionReport {
    let removed = blobs.filter { !plan.keptBlobs.contains($0.key) }.values
    return CollectionReport(
      entriesRemoved: plan.removedEntries.count, revisionsRemoved: plan.removedRevisions.count,
      blobsRemoved: removed.count, bytesFreed: removed.reduce(0) { $0 + $1.storedBytes },
      entriesKept: plan.keptEntries)
  }
}
