import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// Removes what the limits leave no room for, blobs that nothing refers to and files that a crash
  /// left behind.
  ///
  /// Decides on one state of the store and removes in small steps, between which others read and
  /// write. In each step it looks again: what was used, published or protected since stays. A file
  /// goes only after the transactions that removed its row are durable.
  ///
  /// - Parameter dryRun: only tell what would go.
  /// - Returns: what went. An error in the middle leaves a sound store, and the next collection
  ///   goes on.
  package func collect(_ limits: CollectionLimits, dryRun: Bool = false) throws -> CollectionReport
  {
    if dryRun { return try dryCollection(limits) }
    return try collecting.withLock { _ in
      do {
        return try collected(limits, CollectionSteps(isTight: try reserve.isNeeded()))
      } catch let error as GranaryError where error.code == .diskFull {
        // On a full disk even removing needs room, which is kept for this.
        try reserve.release()
        return try collected(limits, CollectionSteps(isTight: true))
      }
    }
  }

  private func dryCollection(_ limits: CollectionLimits) throws -> CollectionReport {
    let now = time.wallSeconds
    var (report, searches) = try read { database in
      let contents = try StoreContents(of: database, limits, now: now)
      let plan = contents.plan(limits, now: now)
      let gone = plan.removedEntries.map { contents.entries[$0].id }
      return (
        contents.report(of: plan), try Self.staleSearches(limits, without: gone, in: database)
      )
    }
    report.searchesRemoved = searches.count
    for folder in try BlobFiles.folders(in: directory, fileSystem) {
      for file in try unneeded(try BlobFiles.files(in: folder, fileSystem)) {
        if file.isBlob { report.blobsRemoved += 1 }
        report.bytesFreed += try fileSystem.sizeBytes(of: file.file.path) ?? 0
      }
    }
    return report
  }

  private func collected(_ limits: CollectionLimits, _ steps: CollectionSteps) throws
    -> CollectionReport
  {
    let now = time.wallSeconds
    var report = CollectionReport()
    try readLockFiles()
    if steps.isTight { try reserve.release() }
    let (entries, revisions, kept) = try read { database in
      let contents = try StoreContents(of: database, limits, now: now)
      let plan = contents.plan(limits, now: now)
      report.entriesProtected = plan.protectedEntries
      // In the order of their rows, many of one step share their pages.
      return (
        plan.removedEntries.map { contents.entries[$0] }.sorted { $0.id < $1.id },
        plan.removedRevisions.sorted { $0.entry < $1.entry },
        contents.entries.count
      )
    }
    try withLargeTransactions(steps) {
      let removed = try removeRows(entries, revisions, limits, steps, &report)
      // What goes from the disk now must not come back into the index with a loss of power.
      try write(durable: true) { database in
        try Self.increment("store.collections", by: 1, in: database)
        try database.execute(sql: "DELETE FROM leases WHERE expires <= ?", arguments: [now])
      }
      try removeFiles(counted: removed, &report)
      try tidyRecords()
      try shrink(steps)
    }
    report.entriesKept = kept - report.entriesRemoved
    try reserve.restore()
    return report
  }

  /// - Returns: the digests of the blobs that may have files, whose bytes are counted.
  private func removeRows(
    _ entries: [CollectionPlan.Entry], _ revisions: [(entry: Int64, number: Int)],
    _ limits: CollectionLimits, _ steps: CollectionSteps, _ report: inout CollectionReport
  ) throws -> Set<Digest> {
    var blobs = RemovedBlobs()
    try removeEntries(entries, steps, &blobs, &report)
    try removeRevisions(revisions, steps, &blobs, &report)
    try removeSearches(limits, steps, &report)
    try removeSignatures(steps)
    try removeOrphans(steps, &blobs)
    report.blobsRemoved += blobs.count
    report.bytesFreed += blobs.bytes
    return blobs.inFiles
  }

  private func removeEntries(
    _ entries: [CollectionPlan.Entry], _ steps: CollectionSteps, _ blobs: inout RemovedBlobs,
    _ report: inout CollectionReport
  ) throws {
    try steps.each(entries, time) { batch in
      let now = time.wallSeconds
      let gone = try write { database in
        try batch.compactMap { entry in
          try Self.removeUnlessChanged(entry, now: now, &blobs, in: database)
        }
      }
      report.entriesRemoved += gone.count
      report.entriesSpared += batch.count - gone.count
      if !gone.isEmpty { announceRemoval(of: gone) }
    }
  }

  /// Removes an entry with the blobs that nothing else names.
  ///
  /// - Returns: the key of an entry that went.
  private static func removeUnlessChanged(
    _ entry: CollectionPlan.Entry, now: Double, _ blobs: inout RemovedBlobs, in database: Database
  ) throws -> Digest? {
    let artifacts = try Int64.fetchAll(
      database.cachedStatement(sql: "SELECT artifact FROM revisions WHERE entry = ?"),
      arguments: [entry.id])
    let deletion = try database.cachedStatement(
      sql: """
        DELETE FROM entries WHERE id = ?2 AND last_used <= ?3 AND NOT \(StoreContents.isProtected)
          AND coalesce((SELECT max(number) FROM revisions WHERE entry = entries.id), 0) = ?4
        RETURNING key
        """)
    let key = try Data.fetchOne(
      deletion,
      arguments: [now, entry.id, entry.lastUsed, entry.revisions.first?.number ?? 0])
    guard let key = Digest(column: key) else { return nil }
    for artifact in Set(artifacts) { try blobs.removeOrphan(artifact, in: database) }
    return key
  }

  private func removeRevisions(
    _ revisions: [(entry: Int64, number: Int)], _ steps: CollectionSteps,
    _ blobs: inout RemovedBlobs, _ report: inout CollectionReport
  ) throws {
    try steps.each(revisions, time) { batch in
      report.revisionsRemoved += try write { database in
        var count = 0
        let statement = try database.cachedStatement(
          sql: """
            DELETE FROM revisions WHERE entry = ?1 AND number = ?2 AND NOT \(StoreContents.isLocked)
              AND number IS NOT (SELECT pinned_revision FROM entries WHERE id = ?1)
            RETURNING artifact
            """)
        for revision in batch {
          let artifact = try Int64.fetchOne(
            statement, arguments: [revision.entry, revision.number])
          guard let artifact else { continue }
          count += 1
          try blobs.removeOrphan(artifact, in: database)
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

  private func removeSearches(
    _ limits: CollectionLimits, _ steps: CollectionSteps, _ report: inout CollectionReport
  ) throws {
    let searches = try read { try Self.staleSearches(limits, without: [], in: $0) }
    // Each has hundreds of candidates.
    try steps.each(searches, time, first: 8) { batch in
      report.searchesRemoved += try write { database in
        let statement = try database.cachedStatement(
          sql: "DELETE FROM searches WHERE id = ? AND state = 'finished'")
        return try batch.reduce(0) { count, search in
          try statement.execute(arguments: [search])
          return count + database.changesCount
        }
      }
    }
  }
}
