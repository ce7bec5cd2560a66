import FoundationEssentials
import GRDB
import KernelSpec

/// What a new row of `entries` is made of.
struct EntryRow {
  var key: Digest
  var spec: String
  var name: String
  var hardware: String
  var namespace: String
  var parts: [StoredKeyPart]
  var created: Double

  init(
    key: Digest, spec: String, name: String, hardware: String, namespace: String,
    parts: [StoredKeyPart], created: Double
  ) {
    self.key = key
    self.spec = spec
    self.name = name
    self.hardware = hardware
    self.namespace = namespace
    self.parts = parts
    self.created = created
  }

  /// - Returns: `nil` when the row, with the texts of ``texts``, is damaged.
  init?(_ row: Row, key: Digest, _ packer: TextPacker) {
    guard let spec = row.believed("spec", as: Data.self).flatMap(packer.unpack),
      let name = row.believed("name", as: String.self),
      let namespace = row.believed("namespace", as: String.self),
      let hardware = row.believed("machine", as: String.self),
      let created = row.believed("entry_created", as: Double.self),
      let shared = row.believed("shared_parts", as: String.self),
      let parts = Self.parts(shared, spec: spec)
    else { return nil }
    self.init(
      key: key, spec: spec, name: name, hardware: hardware, namespace: namespace, parts: parts,
      created: created)
  }

  /// A part whose value is the spec of the entry has none here, so that most entries share theirs.
  private struct SharedPart: Codable {
    var name: String
    var value: String?
  }

  /// What the texts of an entry are read from, with its columns.
  static let columns = """
    name, namespace, spec, entries.created AS entry_created, machines.text AS machine, \
    shared.text AS shared_parts
    """
  static let texts = """
    JOIN texts AS machines ON machines.id = entries.hardware
    JOIN texts AS shared ON shared.id = entries.parts
    """

  /// - Returns: the number of the row.
  func insert(into database: Database, _ packer: TextPacker) throws -> Int64 {
    let shared = parts.map { SharedPart(name: $0.name, value: $0.value == spec ? nil : $0.value) }
    try database.execute(
      sql: """
        INSERT INTO entries (key, name, namespace, hardware, parts, last_revision, created,
          last_used, spec_hash, spec) VALUES (?1, ?2, ?3, ?4, ?5,
          coalesce((SELECT number FROM last_revisions WHERE key = ?1), 0), ?6, ?6, ?7, ?8)
        """,
      arguments: [
        key.column, name, namespace, try Self.number(of: hardware, in: database),
        try Self.number(of: try StoreJSON.encode(shared), in: database), created,
        Self.hash(of: spec), try packer.pack(spec),
      ])
    let entry = database.lastInsertedRowID
    try database.execute(
      sql: "DELETE FROM last_revisions WHERE key = ?", arguments: [key.column])
    return entry
  }

  /// - Returns: the number of a text that entries share, which is made when it is new.
  private static func number(of text: String, in database: Database) throws -> Int64 {
    let sql = "SELECT id FROM texts WHERE text = ?"
    if let number = try Int64.fetchOne(database, sql: sql, arguments: [text]) { return number }
    try database.execute(sql: "INSERT INTO texts (text) VALUES (?)", arguments: [text])
    return database.lastInsertedRowID
  }

  /// By which entries with a spec are found.
  static func hash(of spec: String) -> Int64 {
    Digest(of: Array(spec.utf8)).bytes.prefix(4).reduce(0) { $0 << 8 | Int64($1) }
  }

  private static func parts(_ shared: String, spec: String) -> [StoredKeyPart]? {
    (try? StoreJSON.decode([SharedPart].self, shared))?.map {
      StoredKeyPart(name: $0.name, value: $0.value ?? spec)
    }
  }

  /// The parts that a text lists, but for the spec.
  static func sharedParts(_ shared: String) -> [StoredKeyPart] {
    ((try? StoreJSON.decode([SharedPart].self, shared)) ?? []).compactMap { part in
      part.value.map { StoredKeyPart(name: part.name, value: $0) }
    }
  }

  static func number(of key: Digest, in database: Database) throws -> Int64? {
    try Int64.fetchOne(
      database, sql: "SELECT id FROM entries WHERE key = ?", arguments: [key.column])
  }

  /// Notes that a key had revisions up to a number.
  static func raiseLastRevision(of key: Digest, to number: Int, in database: Database) throws {
    try database.execute(
      sql: "UPDATE entries SET last_revision = max(last_revision, ?2) WHERE key = ?1",
      arguments: [key.column, number])
    if database.changesCount > 0 { return }
    try database.execute(
      sql: """
        INSERT INTO last_revisions (key, number) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET number = max(number, excluded.number)
        """, arguments: [key.column, number])
  }
}
