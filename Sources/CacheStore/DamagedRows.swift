import FoundationEssentials
import GRDB
import KernelSpec

/// What can be believed of the rows of another database of any version, which may be damaged.
struct DamagedRows {
  private let damaged: DatabaseQueue
  /// Of the damaged database.
  private let reader = TextPacker()
  /// Of the database that is filled.
  private let packer: TextPacker
  private let isPacked: Bool

  init(of damaged: DatabaseQueue, _ packer: TextPacker) {
    self.damaged = damaged
    self.packer = packer
    isPacked = (try? damaged.read { try $0.tableExists("dictionaries") }) ?? false
    if isPacked { try? damaged.read(reader.load) }
  }

  func take(into database: Database) throws {
    copy("SELECT digest, contents FROM blobs WHERE contents IS NOT NULL") {
      try takeBlob($0, database)
    }
    copy(isPacked ? Self.entries : Version2Rows.entries) { try takeEntry($0, database) }
    copy(isPacked ? Self.revisions : "SELECT entries.key, revisions.* \(Version2Rows.revisions)") {
      try takeRevision($0, database)
    }
    copy(isPacked ? Self.sources : "SELECT artifact, source FROM sources") { row in
      guard let artifact = row.digest("artifact"), let source = row.digest("source") else { return }
      try BlobRow.setSource(source, of: artifact, in: database)
    }
    for table in isPacked ? ["last_revisions", "entries"] : ["last_revisions"] {
      let number = table == "entries" ? "last_revision" : "number"
      copy("SELECT key, \(number) AS number FROM \(table)") { row in
        guard let key = row.digest("key"), let number = row.believed("number", as: Int.self)
        else { return }
        try EntryRow.raiseLastRevision(of: key, to: number, in: database)
      }
    }
  }

  private static let entries =
    "SELECT entries.*, \(EntryRow.columns) FROM entries \(EntryRow.texts)"
  private static let revisions = "SELECT \(RevisionRow.columns) FROM \(RevisionRow.tables)"
  private static let sources = """
    SELECT blobs.digest AS artifact, named.digest AS source FROM blobs
    JOIN blobs AS named ON named.id = blobs.source
    """

  /// Stops at the first row that cannot be read, and passes over rows that cannot be taken.
  private func copy(_ sql: String, _ take: (Row) throws -> Void) {
    try? damaged.read { database in
      let rows = try Row.fetchCursor(database, sql: sql)
      while let row = try rows.next() { try? take(row) }
    }
  }

  private func takeBlob(_ row: Row, _ database: Database) throws {
    guard let digest = row.digest("digest"), let blob = row.believed("contents", as: Data.self),
      let bytes = Blob.decode(Array(blob), digest: digest)
    else { return }
    try BlobRow.put(
      digest, sizeBytes: bytes.count, storedBytes: blob.count, contents: blob, in: database)
  }

  private func takeEntry(_ row: Row, _ database: Database) throws {
    guard let key = row.digest("key") else { return }
    let found = isPacked ? EntryRow(row, key: key, reader) : Version2Rows.entry(row, key: key)
    guard let found else { return }
    let entry = try found.insert(into: database, packer)
    try Version2Rows.setUse(of: entry, row, database)
  }

  private func takeRevision(_ row: Row, _ database: Database) throws {
    guard let revision = isPacked ? RevisionRow(row, reader) : Version2Rows.revision(row),
      let entry = try EntryRow.number(of: revision.key, in: database)
    else { return }
    try revision.insert(into: database, entry: entry, packer)
    try EntryRow.raiseLastRevision(of: revision.key, to: revision.number, in: database)
  }
}
