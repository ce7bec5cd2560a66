import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

extension CacheStore {
  var records: RecordFiles { RecordFiles(directory: directory, files: fileSystem) }

  /// The record of a revision, as the index has it; `nil` when its row or its artifact is damaged or missing.
  func makeRecord(_ name: RecordFiles.Name) throws -> RevisionRecord? {
    try read { database -> RevisionRecord? in
      let found = try Row.fetchOne(
        database,
        sql: """
          SELECT \(RevisionRow.columns), \(EntryRow.columns)
          FROM \(RevisionRow.tables) \(EntryRow.texts)
          WHERE entries.key = ? AND revisions.number = ?
          """, arguments: [name.key.column, name.number])
      guard let found, let row = RevisionRow(found, packer),
        let entry = EntryRow(found, key: row.key, packer)
      else { return nil }
      let source = try BlobRow.source(of: row.artifact, in: database)
      let facts = RevisionRecord.Facts(row, entry, source: source)
      let blobs = try [row.artifact, source].compactMap { $0 }.compactMap { digest in
        try Self.inlineBlob(digest, in: database)
      }
      return RevisionRecord(facts: facts, blobs: blobs)
    }
  }

  private static func inlineBlob(_ digest: Digest, in database: Database) throws
    -> RevisionRecord.Contents?
  {
    guard let contents = try BlobRow.contents(of: digest, in: database),
      let bytes = Blob.decode(contents, digest: digest)
    else { return nil }
    return RevisionRecord.Contents(digest: digest, bytes: bytes)
  }

  /// The names of the revisions in the index whose key has a first byte.
  func revisionNames(ofKeysFrom byte: UInt8) throws -> Set<RecordFiles.Name> {
    try read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT key, number FROM entries JOIN revisions ON entry = entries.id
          WHERE key >= ?1 AND (key < ?2 OR ?2 IS NULL)
          """)
      let next = byte == .max ? nil : Data([byte + 1])
      let rows = try Row.fetchCursor(statement, arguments: [Data([byte]), next])
      var names: Set<RecordFiles.Name> = []
      while let row = try rows.next() {
        guard let key = row.digest("key"), let number = row.believed("number", as: Int.self) else {
          continue
        }
        names.insert(RecordFiles.Name(key: key, number: number))
      }
      return names
    }
  }

  /// Writes the record of a revision anew, if the index has it.
  func writeRecord(_ name: RecordFiles.Name) throws {
    try changing.withLock { _ in
      if let record = try makeRecord(name) { try records.write(record) }
    }
  }

  static func isInIndex(_ name: RecordFiles.Name, _ database: Database) throws -> Bool {
    let statement = try database.cachedStatement(
      sql: """
        SELECT EXISTS (SELECT 1 FROM revisions JOIN entries ON entries.id = entry
          WHERE key = ? AND number = ?)
        """)
    return try Bool.fetchOne(statement, arguments: [name.key.column, name.number]) ?? false
  }
}

extension RevisionRecord.Facts {
  init(_ row: RevisionRow, _ entry: EntryRow, source: Digest?) {
    self.init(
      key: row.key, spec: entry.spec, name: entry.name, hardware: entry.hardware,
      namespace: entry.namespace, parts: entry.parts, number: row.number, verdict: row.verdict,
      manifest: row.manifest, evidence: row.evidence, artifact: row.artifact, source: source,
      created: row.created, searchSeconds: row.searchSeconds, seal: row.seal,
      withdrawn: row.withdrawn, origin: row.origin, isOnTrial: row.isOnTrial)
  }
}
