import FoundationEssentials
import GRDB
package import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// Blobs up to this compressed size are kept in the database. Measured: a database read and
  /// commit is the faster one below, a file above.
  static let inlineBlobBytes = 64 << 10

  /// Adds a revision with its artifact, source and evidence in one transaction. Returns its number
  /// only when all of it is durable; after an error nothing of it is visible.
  ///
  /// When the hard limit or the disk leaves no room, it is made by a collection.
  ///
  /// - Parameters:
  ///   - namespace: to which the entry belongs if it is new.
  ///   - origin: where it came from; empty when it was made here.
  ///   - isOnTrial: whether it must pass its verification here before it is served.
  /// - Throws: `store-internal` when manifest or evidence are about other bytes, `store-full` when
  ///   what is protected fills the store.
  package func publish(
    key: Digest, spec: String, name: String, hardware: String, parts: [StoredKeyPart],
    verdict: Verdict, artifact: Artifact, source: KernelSource, evidence: Evidence,
    searchSeconds: Double, namespace: String = "", origin: String = "", isOnTrial: Bool = false
  ) throws -> Int {
    let digest = Digest(of: artifact.bytes)
    guard artifact.manifest.digest == digest, evidence.artifact == digest else {
      throw GranaryError(
        .storeInternal, "\(name): the manifest or the evidence is about other bytes than \(digest)",
        responsible: .internal)
    }
    let sourceBytes = Array(try StoreJSON.encode(source).utf8)
    let now = time.wallSeconds
    var row = RevisionRow(
      key: key, number: 1, verdict: verdict, manifest: try StoreJSON.encode(artifact.manifest),
      evidence: try StoreJSON.encode(evidence), artifact: digest, created: now,
      searchSeconds: searchSeconds)
    row.origin = origin
    row.isOnTrial = isOnTrial
    let publication = Publication(
      entry: EntryRow(
        key: key, spec: spec, name: name, hardware: hardware, namespace: namespace, parts: parts,
        created: now),
      row: row,
      blobs: [
        try EncodedBlob(artifact.bytes, digest: digest),
        try EncodedBlob(sourceBytes, digest: Digest(of: sourceBytes)),
      ])
    return try publishMakingRoom(publication)
  }

  /// Publishes; when there is no room, once more after a collection.
  private func publishMakingRoom(_ publication: Publication) throws -> Int {
    let number: Int
    do {
      number = try publish(publication)
    } catch let error as GranaryError where error.code == .storeFull || error.code == .diskFull {
      _ = try collect(limits.collection)
      number = try publish(publication)
    }
    if let soft = limits.collection.maximumBytes, try storedBytes() > soft { announceGrowth() }
    return number
  }

  private func publish(_ publication: Publication) throws -> Int {
    try changing.withLock { _ in
      try trainIfDue(publication)
      for blob in publication.blobs where !blob.isInline { try writeFile(blob) }
      // No other number is given away while `changing` is held.
      let row = publication.row.numbered(try peekRevision(key: publication.row.key))
      try records.write(publication.record(row))
      return try write(durable: true) { database in
        let (artifact, source) = (publication.blobs[0], publication.blobs[1])
        try source.insert(into: database)
        try artifact.insert(into: database, source: source.digest)
        try checkHardLimit(in: database)
        let entry =
          try EntryRow.number(of: publication.row.key, in: database)
          ?? publication.entry.insert(into: database, packer)
        guard try Self.nextRevision(key: publication.row.key, in: database) == row.number else {
          throw GranaryError(
            .storeInternal, "two publications of \(publication.row.key) met", responsible: .internal
          )
        }
        try row.insert(into: database, entry: entry, packer)
        return row.number
      }
    }
  }

  /// The compressed bytes of all blobs together.
  package func storedBytes() throws -> Int { try read(Self.storedBytes) }

  private static func storedBytes(in database: Database) throws -> Int {
    try Int.fetchOne(database, sql: "SELECT stored_bytes FROM totals") ?? 0
  }

  private func checkHardLimit(in database: Database) throws {
    guard let limit = limits.hardBytes, try Self.storedBytes(in: database) > limit else { return }
    throw GranaryError(
      .storeFull,
      "the store would hold more than \(limit) bytes; remove something with 'granary gc', or raise "
        + "store_hard_bytes", responsible: .environment)
  }

  private func writeFile(_ blob: EncodedBlob) throws {
    let path = blobPath(blob.digest)
    try fileSystem.createDirectory(path.parentDirectory)
    try fileSystem.write(blob.bytes, atomicallyTo: path)
  }

  /// Makes a dictionary for the texts of the index from its latest ones when it is time, and from the first.
  private func trainIfDue(_ publication: Publication) throws {
    let count = try read { try Int64.fetchOne($0, sql: "SELECT max(id) FROM revisions") } ?? 0
    try packer.trainIfDue(revisions: count) { limit in
      let texts = try read { try typicalTexts(limit: limit, in: $0) }
      let own = publication.row.manifest + publication.row.evidence + publication.entry.spec
      return texts.isEmpty ? [Array(own.utf8)] : texts
    } write: { body in
      try write(durable: true, body)
    }
  }

  private func typicalTexts(limit: Int, in database: Database) throws -> [[UInt8]] {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT details, spec FROM revisions JOIN entries ON entries.id = entry
        ORDER BY revisions.id DESC LIMIT ?
        """, arguments: [limit / 2])
    return rows.flatMap { row in
      ["details", "spec"].compactMap { row.believed($0, as: Data.self).flatMap(packer.unpack) }
    }.map { Array($0.utf8) }
  }

  /// The number that the next revision of a key will have.
  func peekRevision(key: Digest) throws -> Int {
    try read { database in
      let sql = """
        SELECT max(number) FROM (SELECT last_revision AS number FROM entries WHERE key = ?1
          UNION ALL SELECT number FROM last_revisions WHERE key = ?1)
        """
      return (try Int.fetchOne(database, sql: sql, arguments: [key.column]) ?? 0) + 1
    }
  }

  /// A number that the key, which has an entry, never had, also when an entry of it was removed in between.
  static func nextRevision(key: Digest, in database: Database) throws -> Int {
    let sql =
      "UPDATE entries SET last_revision = last_revision + 1 WHERE key = ? RETURNING last_revision"
    guard let number = try Int.fetchOne(database, sql: sql, arguments: [key.column]) else {
      throw GranaryError(.storeNotFound, "there is no such entry: \(key)", responsible: .input)
    }
    return number
  }
}

/// A revision that is ready to be stored, but for its number.
private struct Publication {
  var entry: EntryRow
  var row: RevisionRow
  /// The artifact and its source.
  var blobs: [EncodedBlob]

  func record(_ row: RevisionRow) -> RevisionRecord {
    RevisionRecord(
      facts: RevisionRecord.Facts(row, entry, source: blobs[1].digest),
      blobs: blobs.filter(\.isInline).map { .init(digest: $0.digest, bytes: $0.contents) })
  }
}

/// A blob that is ready to be stored.
private struct EncodedBlob {
  var digest: Digest
  var contents: [UInt8]
  /// `contents`, compressed.
  var bytes: [UInt8]
  var sizeBytes: Int { contents.count }
  var isInline: Bool { bytes.count <= CacheStore.inlineBlobBytes }

  init(_ uncompressed: [UInt8], digest: Digest) throws {
    self.digest = digest
    contents = uncompressed
    bytes = try Blob.encode(uncompressed, digest: digest)
  }

  /// Also replaces an equal blob, which heals a damaged one.
  func insert(into database: Database, source: Digest? = nil) throws {
    try BlobRow.put(
      digest, sizeBytes: sizeBytes, storedBytes: bytes.count,
      contents: isInline ? Data(bytes) : nil, source: source, replaces: true, in: database)
  }
}

extension RevisionRow {
  /// The same revision under another number, sealed anew.
  func numbered(_ number: Int) -> RevisionRow {
    var row = RevisionRow(
      key: key, number: number, verdict: verdict, manifest: manifest, evidence: evidence,
      artifact: artifact, created: created, searchSeconds: searchSeconds)
    row.origin = origin
    row.isOnTrial = isOnTrial
    row.verified = verified
    return row
  }
}
