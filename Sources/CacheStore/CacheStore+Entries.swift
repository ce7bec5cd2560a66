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
      "WHERE instr(entries.name, ?1) OR instr(hardware, ?1) OR ?1 = ''", [text], limit: limit)
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
          SELECT \(RevisionRow.columns) FROM revisions JOIN entries ON entries.id = entry
          WHERE entries.key = ? ORDER BY revisions.number DESC
          """, arguments: [key.column]
      ).compactMap { RevisionRow($0)?.revision }
    }
  }

  /// Notes that keys were used just now.
  package func touch(_ keys: [Digest]) throws {
    let now = time.wallSeconds
    try write { try Self.touch(keys, at: now, in: $0) }
  }

  static func touch(_ keys: [Digest], at time: Double, in database: Database) throws {
    for key in keys {
      try database.execute(
        sql: "UPDATE entries SET last_used = ?, use_count = use_count + 1 WHERE key = ?",
        arguments: [time, key.column])
    }
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

  /// The entry with the most equal key parts, which explains a miss; of several, one of the same
  /// name.
  package func nearest(to parts: [StoredKeyPart], name: String) throws -> NearestEntry? {
    let wanted = try StoreJSON.encode(parts)
    let best = try entries(
      """
      JOIN (SELECT entry, count(*) AS equal FROM key_parts
        JOIN entries AS owner ON owner.id = entry
        JOIN json_each(?1) AS part ON part.value ->> 'name' = key_parts.name
          AND part.value ->> 'value' = coalesce(key_parts.value, owner.spec)
        GROUP BY entry ORDER BY equal DESC, owner.name = ?2 DESC, entry DESC LIMIT 1) AS near
        ON near.entry = entries.id
      """, [wanted, name], limit: 1)
    guard let entry = best.first else { return nil }
    let stored = Set(entry.parts)
    return NearestEntry(
      entry: entry, differing: parts.filter { !stored.contains($0) }.map(\.name))
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
        SELECT entries.*, revisions.number, revisions.verdict, \(Self.protections),
          (SELECT size_bytes FROM blobs WHERE digest = revisions.artifact) AS artifact_bytes
        FROM entries
        JOIN revisions ON revisions.entry = entries.id AND revisions.number = coalesce(
          (SELECT max(number) FROM revisions WHERE entry = entries.id AND withdrawn IS NULL
            AND on_trial = 0), (SELECT max(number) FROM revisions WHERE entry = entries.id))
        \(condition)
        ORDER BY last_used DESC, entries.id LIMIT \(limit)
        """
      return try Row.fetchAll(database, sql: sql, arguments: arguments).compactMap {
        try Self.entry($0, now: now, in: database)
      }
    }
  }

  private static func entry(_ row: Row, now: Double, in database: Database) throws
    -> StoredEntry?
  {
    guard let key = row.digest("key"), let id = row.believed("id", as: Int64.self),
      let verdict = row.believed("verdict", as: String.self).flatMap(Verdict.init(rawValue:)),
      let spec = row.believed("spec", as: String.self),
      let name = row.believed("name", as: String.self),
      let hardware = row.believed("hardware", as: String.self),
      let created = row.believed("created", as: Double.self),
      let lastUsed = row.believed("last_used", as: Double.self),
      let useCount = row.believed("use_count", as: Int.self),
      let namespace = row.believed("namespace", as: String.self),
      let revision = row.believed("number", as: Int.self)
    else { return nil }
    return StoredEntry(
      key: key, spec: spec, name: name, hardware: hardware, namespace: namespace,
      parts: try parts(of: id, spec: spec, in: database), created: created, lastUsed: lastUsed,
      useCount: useCount, protection: protection(row, now: now),
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

  static func parts(of entry: Int64, spec: String, in database: Database) throws
    -> [StoredKeyPart]
  {
    let statement = try database.cachedStatement(
      sql: "SELECT name, value FROM key_parts WHERE entry = ? ORDER BY position")
    return try Row.fetchAll(statement, arguments: [entry]).map {
      StoredKeyPart(
        name: $0.believed("name", as: String.self) ?? "",
        value: $0.believed("value", as: String.self) ?? spec)
    }
  }
}
