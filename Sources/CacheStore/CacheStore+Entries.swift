import FoundationEssentials
import GRDB
package import KernelSpec
import Support

/// What the store holds.
package struct StoreStatistics: Sendable, Hashable {
  package var entries: Int
  package var revisions: Int
  package var blobs: Int
  package var uncompressedBytes: Int
  package var compressedBytes: Int
}

/// The stored key that differs least from another.
package struct NearestEntry: Sendable, Hashable {
  package var entry: StoredEntry
  /// The names of the parts that differ.
  package var differing: [String]
}

extension CacheStore {
  /// Entries whose name or hardware contains a text (all without one), last used first.
  package func entries(containing text: String = "", limit: Int = .max) throws -> [StoredEntry] {
    try entries(
      "WHERE instr(entries.name, ?1) OR instr(machines.text, ?1) OR ?1 = ''", [text], limit: limit)
  }

  /// The keys of all entries.
  package func keys() throws -> [Digest] {
    try read { try Data.fetchAll($0, sql: "SELECT key FROM entries") }
      .compactMap { Digest(column: $0) }
  }

  /// The only entry whose key begins with hexadecimal digits.
  ///
  /// - Throws: `store-not-found` when there is none or there are several.
  package func entry(keyPrefix: String) throws -> StoredEntry {
    let found = try entries(
      "WHERE substr(hex(key), 1, length(?1)) = upper(?1)", [keyPrefix], limit: 2)
    guard let entry = found.first, found.count == 1 else {
      let count = found.isEmpty ? "no" : "more than one"
      throw GranaryError(
        .storeNotFound, "\(count) entry has a key that begins with \(keyPrefix)",
        responsible: .input)
    }
    return entry
  }

  /// The revisions of a key that are undamaged, newest first.
  package func revisions(key: Digest) throws -> [StoredRevision] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT \(RevisionRow.columns) FROM \(RevisionRow.tables)
          WHERE entries.key = ? ORDER BY revisions.number DESC
          """, arguments: [key.column]
      ).compactMap { RevisionRow($0, packer)?.revision }
    }
  }

  /// Notes that keys were used just now.
  package func touch(_ keys: [Digest]) throws {
    let now = time.wallSeconds
    try write { try Self.touch(keys, at: now, in: $0) }
  }

  static func touch(_ keys: [Digest], at time: Double, in database: Database) throws {
    let statement = try database.cachedStatement(
      sql: "UPDATE entries SET last_used = ?, use_count = use_count + 1 WHERE key = ?")
    for key in keys { try statement.execute(arguments: [time, key.column]) }
  }

  /// Forgets a key with its revisions; blobs go with the next collection.
  package func remove(key: Digest) throws {
    let numbers = try read {
      try Int.fetchAll(
        $0,
        sql: "SELECT number FROM revisions JOIN entries ON entries.id = entry WHERE key = ?",
        arguments: [key.column])
    }
    try change("DELETE FROM entries WHERE key = ?", [key.column], key: key)
    for number in numbers { try records.remove(RecordFiles.Name(key: key, number: number)) }
  }

  /// Serves the newest revision of a key, or the given one, until it is unpinned, and keeps it.
  package func pin(key: Digest, revision: Int? = nil) throws {
    try change(
      """
      UPDATE entries SET pinned_revision = (SELECT max(number) FROM revisions
        WHERE entry = entries.id AND number = coalesce(?2, number))
      WHERE key = ?1 AND EXISTS (SELECT 1 FROM revisions
        WHERE entry = entries.id AND number = coalesce(?2, number))
      """, [key.column, revision], key: key)
  }

  package func unpin(key: Digest) throws {
    try change("UPDATE entries SET pinned_revision = NULL WHERE key = ?", [key.column], key: key)
  }

  package func statistics() throws -> StoreStatistics {
    try read { database in
      let row = try Row.fetchOne(
        database,
        sql: """
          SELECT (SELECT count(*) FROM entries) AS entries,
            (SELECT count(*) FROM revisions) AS revisions, blobs,
            size_bytes AS size, stored_bytes AS stored
          FROM totals
          """)
      return StoreStatistics(
        entries: row?["entries"] ?? 0, revisions: row?["revisions"] ?? 0,
        blobs: row?["blobs"] ?? 0, uncompressedBytes: row?["size"] ?? 0,
        compressedBytes: row?["stored"] ?? 0)
    }
  }

  /// How many of the latest entries are compared with a key that is missing.
  private static let comparedEntries = 10_000

  /// The entry with the most equal key parts, of those with the same spec and the latest others, which explains a miss;
  /// of several, the latest with the same name.
  package func nearest(to parts: [StoredKeyPart], name: String) throws -> NearestEntry? {
    let wanted = Set(parts)
    let hashes = parts.map { EntryRow.hash(of: $0.value) }
    let best = try read { database -> Digest? in
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT id, key, name, parts, spec_hash FROM entries
          WHERE id > (SELECT max(id) FROM entries) - ?1
            OR spec_hash IN (SELECT value FROM json_each(?2))
          """, arguments: [Self.comparedEntries, try StoreJSON.encode(hashes)])
      var equal: [Int64: Int] = [:]
      var best: (equal: Int, isNamed: Int, id: Int64, key: Digest)?
      while let row = try rows.next() {
        guard let id = row.believed("id", as: Int64.self), let key = row.digest("key"),
          let shared = row.believed("parts", as: Int64.self),
          let hash = row.believed("spec_hash", as: Int64.self)
        else { continue }
        let common = try equal[shared] ?? Self.equalParts(shared, wanted, in: database)
        equal[shared] = common
        let count = common + (hashes.contains(hash) ? 1 : 0)
        let isNamed = row.believed("name", as: String.self) == name ? 1 : 0
        let isBetter =
          best.map { ($0.equal, $0.isNamed, $0.id) < (count, isNamed, id) } ?? (count > 0)
        if isBetter { best = (count, isNamed, id, key) }
      }
      return best?.key
    }
    guard let best, let entry = try entries("WHERE key = ?1", [best.column], limit: 1).first else {
      return nil
    }
    let stored = Set(entry.parts)
    return NearestEntry(
      entry: entry, differing: parts.filter { !stored.contains($0) }.map(\.name))
  }

  /// How many of some parts an entry shares with others has, but for its spec.
  private static func equalParts(
    _ shared: Int64, _ wanted: Set<StoredKeyPart>, in database: Database
  ) throws -> Int {
    let sql = "SELECT text FROM texts WHERE id = ?"
    let text = try String.fetchOne(database, sql: sql, arguments: [shared]) ?? ""
    return EntryRow.sharedParts(text).count(where: wanted.contains)
  }

  private func change(_ sql: String, _ arguments: StatementArguments, key: Digest) throws {
    try write(durable: true) { database in
      try database.execute(sql: sql, arguments: arguments)
      guard database.changesCount > 0 else {
        throw GranaryError(
          .storeNotFound, "there is no such entry or revision: \(key)", responsible: .input)
      }
    }
  }

  private func entries(_ condition: String, _ arguments: StatementArguments, limit: Int) throws
    -> [StoredEntry]
  {
    let now = time.wallSeconds
    return try read { database in
      let sql = """
        SELECT key, \(EntryRow.columns), last_used, use_count, pinned_revision,
          revisions.number, revisions.verdict, \(Self.protections),
          (SELECT size_bytes FROM blobs WHERE id = revisions.artifact) AS artifact_bytes
        FROM entries \(EntryRow.texts)
        JOIN revisions ON revisions.entry = entries.id AND revisions.number = coalesce(
          (SELECT max(number) FROM revisions WHERE entry = entries.id AND withdrawn IS NULL
            AND on_trial = 0), (SELECT max(number) FROM revisions WHERE entry = entries.id))
        \(condition)
        ORDER BY last_used DESC, entries.id LIMIT \(limit)
        """
      return try Row.fetchAll(database, sql: sql, arguments: arguments).compactMap {
        entry($0, now: now)
      }
    }
  }

  private func entry(_ row: Row, now: Double) -> StoredEntry? {
    guard let key = row.digest("key"), let entry = EntryRow(row, key: key, packer),
      let verdict = row.believed("verdict", as: String.self).flatMap(Verdict.init(rawValue:)),
      let lastUsed = row.believed("last_used", as: Double.self),
      let useCount = row.believed("use_count", as: Int.self),
      let revision = row.believed("number", as: Int.self)
    else { return nil }
    return StoredEntry(
      key: key, spec: entry.spec, name: entry.name, hardware: entry.hardware,
      namespace: entry.namespace, parts: entry.parts, created: entry.created, lastUsed: lastUsed,
      useCount: useCount, protection: Self.protection(row, now: now),
      pinnedRevision: row.believed("pinned_revision", as: Int.self),
      revision: revision, verdict: verdict, artifactBytes: row["artifact_bytes"] ?? 0)
  }

  /// What keeps an entry from being collected.
  private static let protections = """
    EXISTS (SELECT 1 FROM searches WHERE searches.key = entries.key AND state = 'running')
      AS searching,
    (SELECT max(expires) FROM leases WHERE leases.key = entries.key) AS leased,
    EXISTS (SELECT 1 FROM locked_kernels WHERE locked_kernels.key = entries.key) AS locked
    """

  private static func protection(_ row: Row, now: Double) -> Set<EntryProtection> {
    var found: Set<EntryProtection> = []
    if row.believed("pinned_revision", as: Int.self) != nil { found.insert(.pin) }
    if row.believed("searching", as: Bool.self) ?? false { found.insert(.search) }
    if row.believed("leased", as: Double.self).map({ $0 > now }) ?? false { found.insert(.lease) }
    if row.believed("locked", as: Bool.self) ?? false { found.insert(.lockFile) }
    return found
  }
}
