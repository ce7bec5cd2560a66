import FoundationEssentials
import GRDB
import KernelSpec

/// Reads rows of versions 1 and 2 of the schema, whose texts are not packed.
enum Version2Rows {
  /// The parts of a key as JSON, in the form that ``EntryRow`` gives them.
  static let entries = """
    SELECT entries.*, (SELECT json_group_array(json_object('name', name, 'value', value))
      FROM (SELECT name, value FROM key_parts WHERE entry = entries.id ORDER BY position))
      AS listed_parts
    FROM entries
    """
  static let revisions = "FROM revisions JOIN entries ON entries.id = entry"

  private struct Part: Decodable {
    var name: String
    var value: String?
  }

  static func entry(_ row: Row, key: Digest) -> EntryRow? {
    guard let spec = row.believed("spec", as: String.self),
      let name = row.believed("name", as: String.self),
      let hardware = row.believed("hardware", as: String.self),
      let created = row.believed("created", as: Double.self),
      let listed = row.believed("listed_parts", as: String.self),
      let parts = try? StoreJSON.decode([Part].self, listed)
    else { return nil }
    return EntryRow(
      key: key, spec: spec, name: name, hardware: hardware,
      namespace: row.believed("namespace", as: String.self) ?? "",
      parts: parts.map { StoredKeyPart(name: $0.name, value: $0.value ?? spec) }, created: created)
  }

  static func revision(_ row: Row) -> RevisionRow? {
    guard let manifest = row.believed("manifest", as: String.self),
      let evidence = row.believed("evidence", as: String.self)
    else { return nil }
    return RevisionRow(row, manifest: manifest, evidence: evidence)
  }

  /// What of an entry is no part of its making; the names are those of every version.
  static func setUse(of entry: Int64, _ row: Row, _ database: Database) throws {
    try database.execute(
      sql: """
        UPDATE entries SET last_used = ?, use_count = ?, pinned_revision = ? WHERE id = ?
        """, arguments: [row["last_used"], row["use_count"], row["pinned_revision"], entry])
  }

  // MARK: Migration

  /// Takes the rows that the migration to version 3 set aside over. A revision whose seal is not its own is left
  /// behind, like everywhere.
  static func move(in database: Database, _ packer: TextPacker) throws {
    try train(in: database, packer)
    let entries = try Row.fetchCursor(
      database, sql: Self.entries.replacing("entries", with: "old_entries"))
    var numbers: [Digest: Int64] = [:]
    while let row = try entries.next() {
      guard let key = row.digest("key"), let found = entry(row, key: key) else { continue }
      let number = try found.insert(into: database, packer)
      try setUse(of: number, row, database)
      numbers[key] = number
    }
    let revisions = try Row.fetchCursor(
      database,
      sql: "SELECT old_entries.key, old_revisions.* "
        + Self.revisions.replacing("entries", with: "old_entries")
        .replacing("FROM revisions", with: "FROM old_revisions") + " ORDER BY entry, number")
    while let row = try revisions.next() {
      guard let revision = revision(row), let entry = numbers[revision.key] else { continue }
      try revision.insert(into: database, entry: entry, packer)
    }
  }

  private static func train(in database: Database, _ packer: TextPacker) throws {
    let count = try Int64.fetchOne(database, sql: "SELECT count(*) FROM old_revisions") ?? 0
    if count == 0 { return }
    try packer.trainIfDue(revisions: count) { limit in
      try Row.fetchAll(
        database,
        sql: """
          SELECT manifest || evidence AS texts, spec FROM old_revisions
          JOIN old_entries ON old_entries.id = entry LIMIT ?
          """, arguments: [limit / 2]
      ).flatMap { row in
        ["texts", "spec"].compactMap { row.believed($0, as: String.self) }
      }.map { Array($0.utf8) }
    } write: { body in
      try body(database)
    }
  }
}
