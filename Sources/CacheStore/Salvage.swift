import FoundationEssentials
import GRDB
import KernelSpec

/// Takes from a damaged database the rows that prove themselves: blobs by their digest, revisions by their
/// seal. Searches and counters are not taken.
struct Salvage {
  let source: String
  let pool: DatabasePool

  init(from source: String, into pool: DatabasePool) {
    self.source = source
    self.pool = pool
  }

  func run() throws {
    guard let damaged = try? DatabaseQueue(path: source) else { return }
    try pool.write { database in
      copy(damaged, "SELECT * FROM blobs") { try insertBlob($0, database) }
      let fields = "SELECT entries.* FROM entries"
      copy(damaged, fields) { try insertEntry($0, database) }
      copy(
        damaged,
        """
        SELECT entries.key, key_parts.position, key_parts.name, key_parts.value
        FROM key_parts JOIN entries ON entries.id = entry
        """
      ) { try insertPart($0, database) }
      copy(
        damaged,
        "SELECT \(RevisionRow.columns) FROM revisions JOIN entries ON entries.id = entry"
      ) { try insertRevision($0, database) }
      copy(damaged, "SELECT artifact, source FROM sources") { row in
        try database.execute(
          sql: "INSERT OR IGNORE INTO sources VALUES (?, ?)",
          arguments: [row["artifact"], row["source"]])
      }
      try database.execute(sql: "DELETE FROM entries WHERE id NOT IN (SELECT entry FROM revisions)")
    }
    try? damaged.close()
  }

  /// Stops at the first row that cannot be read, and passes over rows that cannot be taken.
  private func copy(_ damaged: DatabaseQueue, _ sql: String, _ take: (Row) throws -> Void) {
    try? damaged.read { database in
      let rows = try Row.fetchCursor(database, sql: sql)
      while let row = try rows.next() { try? take(row) }
    }
  }

  private func insertBlob(_ row: Row, _ database: Database) throws {
    guard let digest = Digest(column: row["digest"]) else { return }
    let contents: Data? = row["contents"]
    if let contents, Blob.decode(Array(contents), digest: digest) == nil { return }
    try database.execute(
      sql: "INSERT INTO blobs VALUES (?, ?, ?, ?, ?)",
      arguments: [
        digest.column, row["size_bytes"], row["stored_bytes"], row["created"], contents,
      ])
  }

  private func insertEntry(_ row: Row, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO entries (key, spec, name, hardware, created, last_used, use_count,
          pinned_revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        row["key"], row["spec"], row["name"], row["hardware"], row["created"], row["last_used"],
        row["use_count"], row["pinned_revision"],
      ])
  }

  private func insertPart(_ row: Row, _ database: Database) throws {
    guard let entry = try entryID(row["key"], database) else { return }
    try database.execute(
      sql: "INSERT INTO key_parts VALUES (?, ?, ?, ?)",
      arguments: [entry, row["position"], row["name"], row["value"]])
  }

  private func insertRevision(_ row: Row, _ database: Database) throws {
    guard let revision = RevisionRow(row), let entry = try entryID(row["key"], database)
    else { return }
    try revision.insert(into: database, entry: entry)
  }

  private func entryID(_ key: Data?, _ database: Database) throws -> Int64? {
    try Int64.fetchOne(database, sql: "SELECT id FROM entries WHERE key = ?", arguments: [key])
  }
}
