import FoundationEssentials
import GRDB
import KernelSpec
import Support

/// Takes from a damaged database the rows that prove themselves: blobs by their digest, revisions
/// by their seal; and from the files every sound blob and record. Searches and counters are not taken.
struct Salvage {
  let source: String
  let fileSystem: any FileSystem
  let directory: String
  let pool: DatabasePool

  init(
    from source: String, blobs: any FileSystem, in directory: String, into pool: DatabasePool
  ) {
    self.source = source
    fileSystem = blobs
    self.directory = directory
    self.pool = pool
  }

  func run() throws {
    if let damaged = try? DatabaseQueue(path: source) {
      try pool.write { try takeRows(of: damaged, into: $0) }
      try? damaged.close()
    }
    try runOnFiles()
    try pool.write { database in
      try database.execute(
        sql: """
          DELETE FROM entries WHERE id NOT IN (SELECT entry FROM revisions);
          \(Self.dropLostPins)
          """)
    }
  }

  /// Takes every sound blob and every sound record from the files alone.
  func runOnFiles() throws {
    for file in try BlobFiles.all(in: directory, fileSystem) { try takeFile(file) }
    let records = RecordFiles(directory: directory, files: fileSystem)
    for file in try records.all() where file.name != nil {
      guard let record = records.read(path: file.path),
        RecordFiles.Name(key: record.facts.key, number: record.facts.number) == file.name
      else { continue }
      try pool.write { try take(record, $0) }
    }
  }

  /// What the old index still had is newer than the record.
  private func take(_ record: RevisionRecord, _ database: Database) throws {
    let facts = record.facts
    for blob in record.blobs {
      let contents = try Blob.encode(blob.bytes, digest: blob.digest)
      try database.execute(
        sql: "INSERT OR IGNORE INTO blobs VALUES (?, ?, ?, ?, ?)",
        arguments: [
          blob.digest.column, blob.bytes.count, contents.count, facts.created, Data(contents),
        ])
    }
    if let source = facts.source {
      try database.execute(
        sql: "INSERT OR IGNORE INTO sources VALUES (?, ?)",
        arguments: [facts.artifact.column, source.column])
    }
    let entry = try entry(of: facts, database)
    let isKnown = try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM revisions WHERE entry = ? AND number = ?)",
      arguments: [entry, facts.number])
    if isKnown == false { try record.row.insert(into: database, entry: entry) }
    try raiseLastRevision(of: facts.key, to: facts.number, database)
  }

  private func entry(of facts: RevisionRecord.Facts, _ database: Database) throws -> Int64 {
    if let entry = try entryID(facts.key.column, database) { return entry }
    try database.execute(
      sql: """
        INSERT INTO entries (key, spec, name, hardware, created, last_used, namespace)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        facts.key.column, facts.spec, facts.name, facts.hardware, facts.created, facts.created,
        facts.namespace,
      ])
    let entry = database.lastInsertedRowID
    for (position, part) in facts.parts.enumerated() {
      try database.execute(
        sql: "INSERT INTO key_parts (entry, position, name, value) VALUES (?, ?, ?, ?)",
        arguments: [entry, position, part.name, part.value == facts.spec ? nil : part.value])
    }
    return entry
  }

  private func takeRows(of damaged: DatabaseQueue, into database: Database) throws {
    copy(damaged, "SELECT * FROM blobs WHERE contents IS NOT NULL") { try insertBlob($0, database) }
    let fields = "SELECT entries.* FROM entries"
    copy(damaged, fields) { try insertEntry($0, database) }
    copy(
      damaged,
      """
      SELECT entries.key, key_parts.position, key_parts.name, key_parts.value
      FROM key_parts JOIN entries ON entries.id = entry
      """
    ) { try insertPart($0, database) }
    // A store that version 1 wrote has fewer columns.
    let isOld = (try? damaged.read { try $0.columns(in: "revisions").count < 13 }) ?? true
    let columns = isOld ? "entries.key, revisions.*" : RevisionRow.columns
    copy(
      damaged,
      "SELECT \(columns) FROM revisions JOIN entries ON entries.id = entry"
    ) { try insertRevision($0, database) }
    copy(damaged, "SELECT artifact, source FROM sources") { row in
      try database.execute(
        sql: "INSERT OR IGNORE INTO sources VALUES (?, ?)",
        arguments: [row["artifact"], row["source"]])
    }
    copy(damaged, "SELECT key, number FROM last_revisions") { row in
      guard let key = row.digest("key"), let number = row.believed("number", as: Int.self)
      else { return }
      try raiseLastRevision(of: key, to: number, database)
    }
  }

  /// Forgets the pins of revisions that are no more.
  static let dropLostPins = """
    UPDATE entries SET pinned_revision = NULL WHERE pinned_revision NOT IN
      (SELECT number FROM revisions WHERE entry = entries.id)
    """

  /// Stops at the first row that cannot be read, and passes over rows that cannot be taken.
  private func copy(_ damaged: DatabaseQueue, _ sql: String, _ take: (Row) throws -> Void) {
    try? damaged.read { database in
      let rows = try Row.fetchCursor(database, sql: sql)
      while let row = try rows.next() { try? take(row) }
    }
  }

  private func insertBlob(_ row: Row, _ database: Database) throws {
    guard let digest = row.digest("digest"), let created = row.believed("created", as: Double.self),
      let blob = row.believed("contents", as: Data.self),
      let bytes = Blob.decode(Array(blob), digest: digest)
    else { return }
    try database.execute(
      sql: "INSERT INTO blobs VALUES (?, ?, ?, ?, ?)",
      arguments: [digest.column, bytes.count, blob.count, created, blob])
  }

  /// Notes a blob that has a file in the index, when it is sound.
  private func takeFile(_ file: BlobFiles.File) throws {
    guard let digest = file.digest,
      let blob = try? fileSystem.read(
        file.path, limitBytes: Blob.limitBytes + (1 << 20)),
      let bytes = Blob.decode(blob, digest: digest)
    else { return }
    try pool.write { database in
      try database.execute(
        sql: """
          INSERT OR IGNORE INTO blobs (digest, size_bytes, stored_bytes, created)
          VALUES (?, ?, ?, 0)
          """, arguments: [digest.column, bytes.count, blob.count])
    }
  }

  private func insertEntry(_ row: Row, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO entries (key, spec, name, hardware, created, last_used, use_count,
          pinned_revision, namespace) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        row["key"], row["spec"], row["name"], row["hardware"], row["created"], row["last_used"],
        row["use_count"], row["pinned_revision"],
        row.believed("namespace", as: String.self) ?? "",
      ])
  }

  private func insertPart(_ row: Row, _ database: Database) throws {
    guard let entry = try entryID(row.believed("key", as: Data.self), database)
    else { return }
    try database.execute(
      sql: "INSERT INTO key_parts VALUES (?, ?, ?, ?)",
      arguments: [entry, row["position"], row["name"], row["value"]])
  }

  private func insertRevision(_ row: Row, _ database: Database) throws {
    guard let revision = RevisionRow(row), let entry = try entryID(revision.key.column, database)
    else { return }
    try revision.insert(into: database, entry: entry)
    try raiseLastRevision(of: revision.key, to: revision.number, database)
  }

  private func raiseLastRevision(of key: Digest, to number: Int, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO last_revisions (key, number) VALUES (?, ?)
        ON CONFLICT (key) DO UPDATE SET number = max(number, excluded.number)
        """, arguments: [key.column, number])
  }

  private func entryID(_ key: Data?, _ database: Database) throws -> Int64? {
    try Int64.fetchOne(database, sql: "SELECT id FROM entries WHERE key = ?", arguments: [key])
  }
}
