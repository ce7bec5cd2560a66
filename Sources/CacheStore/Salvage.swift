import FoundationEssentials
import GRDB
import KernelSpec
import Support

/// Takes from a damaged database the rows that prove themselves: blobs by their digest, revisions
/// by their seal; and from the files every sound blob and record. Searches and counters are not taken.
struct Salvage {
  /// How many records the dictionary of a new index is trained from.
  private static let samples = 256
  let source: String
  let fileSystem: any FileSystem
  let directory: String
  let pool: DatabasePool
  let packer: TextPacker

  init(
    from source: String, blobs: any FileSystem, in directory: String, into pool: DatabasePool,
    _ packer: TextPacker
  ) {
    self.source = source
    fileSystem = blobs
    self.directory = directory
    self.pool = pool
    self.packer = packer
  }

  private var records: RecordFiles { RecordFiles(directory: directory, files: fileSystem) }

  func run() throws {
    try train()
    if let damaged = try? DatabaseQueue(path: source) {
      let rows = DamagedRows(of: damaged, packer)
      try pool.write { try rows.take(into: $0) }
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

  /// Forgets the pins of revisions that are no more.
  static let dropLostPins = """
    UPDATE entries SET pinned_revision = NULL WHERE pinned_revision NOT IN
      (SELECT number FROM revisions WHERE entry = entries.id)
    """

  /// Makes the dictionary of an index that has none from the records.
  private func train() throws {
    let files = try records.all()
    if files.isEmpty { return }
    try packer.trainIfDue(revisions: Int64(files.count)) { _ in
      files.prefix(Self.samples).compactMap { records.read(path: $0.path)?.facts }.flatMap {
        [Array(($0.manifest + $0.evidence).utf8), Array($0.spec.utf8)]
      }
    } write: { body in
      try pool.write(body)
    }
  }

  /// Takes every sound blob and every sound record from the files alone.
  func runOnFiles() throws {
    for file in try BlobFiles.all(in: directory, fileSystem) { try takeFile(file) }
    try train()
    for file in try records.all() where file.name != nil {
      guard let record = records.read(path: file.path),
        RecordFiles.Name(key: record.facts.key, number: record.facts.number) == file.name
      else { continue }
      try pool.write { try take(record, $0) }
    }
  }

  /// Notes a blob that has a file in the index, when it is sound.
  private func takeFile(_ file: BlobFiles.File) throws {
    guard let digest = file.digest,
      let blob = try? fileSystem.read(
        file.path, limitBytes: Blob.limitBytes + (1 << 20)),
      let bytes = Blob.decode(blob, digest: digest)
    else { return }
    try pool.write {
      try BlobRow.put(
        digest, sizeBytes: bytes.count, storedBytes: blob.count, contents: nil, in: $0)
    }
  }

  /// What the old index still had is newer than the record.
  private func take(_ record: RevisionRecord, _ database: Database) throws {
    let facts = record.facts
    for blob in record.blobs {
      let contents = try Blob.encode(blob.bytes, digest: blob.digest)
      try BlobRow.put(
        blob.digest, sizeBytes: blob.bytes.count, storedBytes: contents.count,
        contents: Data(contents), in: database)
    }
    let entry =
      try EntryRow.number(of: facts.key, in: database)
      ?? EntryRow(
        key: facts.key, spec: facts.spec, name: facts.name, hardware: facts.hardware,
        namespace: facts.namespace, parts: facts.parts, created: facts.created
      ).insert(into: database, packer)
    let isKnown = try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM revisions WHERE entry = ? AND number = ?)",
      arguments: [entry, facts.number])
    if isKnown == false { try record.row.insert(into: database, entry: entry, packer) }
    if let source = facts.source {
      try BlobRow.setSource(source, of: facts.artifact, in: database)
    }
    try EntryRow.raiseLastRevision(of: facts.key, to: facts.number, in: database)
  }
}
