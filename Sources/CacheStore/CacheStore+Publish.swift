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
  /// - Throws: `store-internal` when manifest or evidence are about other bytes.
  package func publish(
    key: Digest, spec: String, name: String, hardware: String, parts: [StoredKeyPart],
    verdict: Verdict, artifact: Artifact, source: KernelSource, evidence: Evidence,
    searchSeconds: Double
  ) throws -> Int {
    let digest = Digest(of: artifact.bytes)
    guard artifact.manifest.digest == digest, evidence.artifact == digest else {
      throw GranaryError(
        .storeInternal, "\(name): the manifest or the evidence is about other bytes than \(digest)",
        responsible: .internal)
    }
    let sourceBytes = Array(try StoreJSON.encode(source).utf8)
    let blobs = [
      try EncodedBlob(artifact.bytes, digest: digest),
      try EncodedBlob(sourceBytes, digest: Digest(of: sourceBytes)),
    ]
    let now = time.wallSeconds
    var row = RevisionRow(
      key: key, number: 1, verdict: verdict, manifest: try StoreJSON.encode(artifact.manifest),
      evidence: try StoreJSON.encode(evidence), artifact: digest, created: now,
      searchSeconds: searchSeconds)
    return try changing.withLock { _ in
      for blob in blobs where !blob.isInline { try writeFile(blob) }
      return try write(durable: true) { database in
        for blob in blobs { try blob.insert(into: database, now: now) }
        try database.execute(
          sql: "INSERT OR REPLACE INTO sources (artifact, source) VALUES (?, ?)",
          arguments: [digest.column, blobs[1].digest.column])
        let entry = try Self.entry(
          in: database, key: key, spec: spec, name: name, hardware: hardware, parts: parts, now: now
        )
        row = row.numbered(try Self.nextRevision(key: key, in: database))
        try row.insert(into: database, entry: entry)
        return row.number
      }
    }
  }

  private func writeFile(_ blob: EncodedBlob) throws {
    let path = blobPath(blob.digest)
    try fileSystem.createDirectory(path.parentDirectory)
    try fileSystem.write(blob.bytes, atomicallyTo: path)
  }

  /// A number that the key never had, also when its entry was removed in between.
  private static func nextRevision(key: Digest, in database: Database) throws -> Int {
    try database.execute(
      sql: """
        INSERT INTO last_revisions (key, number) VALUES (?, 1)
        ON CONFLICT (key) DO UPDATE SET number = number + 1
        """, arguments: [key.column])
    let sql = "SELECT number FROM last_revisions WHERE key = ?"
    return try Int.fetchOne(database, sql: sql, arguments: [key.column]) ?? 1
  }

  /// The row of a key, made when it is new.
  private static func entry(
    in database: Database, key: Digest, spec: String, name: String, hardware: String,
    parts: [StoredKeyPart], now: Double
  ) throws -> Int64 {
    if let entry = try Int64.fetchOne(
      database, sql: "SELECT id FROM entries WHERE key = ?", arguments: [key.column])
    {
      return entry
    }
    try database.execute(
      sql: """
        INSERT INTO entries (key, spec, name, hardware, created, last_used)
        VALUES (?, ?, ?, ?, ?, ?)
        """, arguments: [key.column, spec, name, hardware, now, now])
    let entry = database.lastInsertedRowID
    for (position, part) in parts.enumerated() {
      try database.execute(
        sql: "INSERT INTO key_parts (entry, position, name, value) VALUES (?, ?, ?, ?)",
        arguments: [entry, position, part.name, part.value == spec ? nil : part.value])
    }
    return entry
  }
}

/// A blob that is ready to be stored.
private struct EncodedBlob {
  var digest: Digest
  var sizeBytes: Int
  var bytes: [UInt8]
  var isInline: Bool { bytes.count <= CacheStore.inlineBlobBytes }

  init(_ uncompressed: [UInt8], digest: Digest) throws {
    self.digest = digest
    sizeBytes = uncompressed.count
    bytes = try Blob.encode(uncompressed, digest: digest)
  }

  /// Also replaces an equal blob, which heals a damaged one.
  func insert(into database: Database, now: Double) throws {
    try database.execute(
      sql: """
        INSERT INTO blobs (digest, size_bytes, stored_bytes, created, contents)
        VALUES (?, ?, ?, ?, ?) ON CONFLICT (digest) DO UPDATE SET
          stored_bytes = excluded.stored_bytes, contents = excluded.contents
        """,
      arguments: [
        digest.column, sizeBytes, bytes.count, now, isInline ? Data(bytes) : nil,
      ])
  }
}

extension RevisionRow {
  /// The same revision under another number, sealed anew.
  func numbered(_ number: Int) -> RevisionRow {
    RevisionRow(
      key: key, number: number, verdict: verdict, manifest: manifest, evidence: evidence,
      artifact: artifact, created: created, searchSeconds: searchSeconds)
  }
}
