import FoundationEssentials
import GRDB
package import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// What is served for a key: the asked revision, else the pinned one, else the newest.
  ///
  /// The bytes were checked against their digest, and the row against its seal.
  /// - Returns: `nil` when there is none that can be believed.
  package func lookup(key: Digest, revision: Int? = nil) throws -> StoredKernel? {
    let found = try read { database -> (RevisionRow, Data?)? in
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(RevisionRow.columns), blobs.contents FROM entries
          JOIN revisions ON revisions.entry = entries.id
          LEFT JOIN blobs ON blobs.digest = revisions.artifact
          WHERE entries.key = ?1 AND revisions.number = coalesce(?2, entries.pinned_revision,
            (SELECT max(number) FROM revisions WHERE entry = entries.id))
          """)
      guard
        let row = try Row.fetchOne(statement, arguments: [key.column, revision]),
        let revision = RevisionRow(row)
      else { return nil }
      return (revision, row["contents"])
    }
    guard let (row, contents) = found, row.key == key, let stored = row.revision,
      stored.manifest.digest == row.artifact, stored.evidence.artifact == row.artifact,
      let bytes = try bytes(of: row.artifact, contents: contents.map { Array($0) })
    else { return nil }
    return StoredKernel(
      key: key, revision: stored.number, verdict: stored.verdict,
      artifact: Artifact(manifest: stored.manifest, bytes: bytes), evidence: stored.evidence)
  }

  /// The bytes with a digest, checked; `nil` when they are missing or corrupt.
  package func artifact(digest: Digest) throws -> [UInt8]? {
    let contents = try read {
      try Data.fetchOne(
        $0, sql: "SELECT contents FROM blobs WHERE digest = ?", arguments: [digest.column])
    }
    return try bytes(of: digest, contents: contents.map { Array($0) })
  }

  /// The source that an artifact was compiled from.
  package func source(artifact: Digest) throws -> KernelSource? {
    let digest = try read {
      Digest(
        column: try Data.fetchOne(
          $0, sql: "SELECT source FROM sources WHERE artifact = ?", arguments: [artifact.column]))
    }
    guard let digest, let bytes = try self.artifact(digest: digest) else { return nil }
    return try? StoreJSON.decode(KernelSource.self, String(decoding: bytes, as: UTF8.self))
  }

  func blobPath(_ digest: Digest) -> String {
    "\(directory)/blobs/\(digest.hex.prefix(2))/\(digest.hex)"
  }

  /// Decodes a blob from the index, or from its file when the index has none. A corrupt one is put in
  /// quarantine.
  func bytes(of digest: Digest, contents: [UInt8]?) throws -> [UInt8]? {
    let limit = Blob.limitBytes + (1 << 20)
    let blob: [UInt8]
    if let contents {
      blob = contents
    } else {
      guard let file = try? fileSystem.read(blobPath(digest), limitBytes: limit) else {
        return nil
      }
      blob = file
    }
    if let bytes = Blob.decode(blob, digest: digest) { return bytes }
    quarantine(digest, inFile: contents == nil)
    return nil
  }

  /// Takes a corrupt blob out of the way. A disk that refuses leaves it: it stays a miss.
  private func quarantine(_ digest: Digest, inFile: Bool) {
    changing.withLock { _ in
      if inFile {
        let aside = directory + "/quarantine"
        try? fileSystem.createDirectory(aside)
        try? fileSystem.rename(blobPath(digest), to: "\(aside)/\(digest.hex)")
      }
      try? write { database in
        try database.execute(
          sql: "DELETE FROM blobs WHERE digest = ?", arguments: [digest.column])
        try Self.increment("store.blobs.quarantined", by: 1, in: database)
      }
    }
  }
}
