import FoundationEssentials
import GRDB
package import KernelSpec
import Support
import Synchronization

extension CacheStore {
  /// What is served for a key: the asked revision, else the pinned one, else the newest; never one
  /// that is withdrawn or on trial.
  ///
  /// The bytes were checked against their digest, and the row against its seal.
  /// - Returns: `nil` when there is none that can be believed.
  package func lookup(key: Digest, revision: Int? = nil) throws -> StoredKernel? {
    try kernel(
      key,
      """
      on_trial = 0 AND revisions.number = coalesce(?2, \(Self.servedNumber))
      """, [revision])
  }

  /// The revision of a key, or the newest, that must pass its verification here before it is served.
  package func onTrial(key: Digest, revision: Int? = nil) throws -> StoredKernel? {
    try kernel(
      key,
      """
      on_trial = 1 AND revisions.number = coalesce(?2, (SELECT max(number) FROM revisions
        WHERE entry = entries.id AND on_trial = 1 AND withdrawn IS NULL))
      """, [revision])
  }

  private func kernel(_ key: Digest, _ condition: String, _ arguments: StatementArguments) throws
    -> StoredKernel?
  {
    let found = try readUnlessDamaged { database -> (RevisionRow, Data?)? in
      let statement = try database.cachedStatement(
        sql: """
          SELECT \(RevisionRow.columns), artifacts.contents FROM \(RevisionRow.tables)
          WHERE entries.key = ?1 AND withdrawn IS NULL AND \(condition)
          """)
      guard
        let row = try Row.fetchOne(statement, arguments: [key.column] + arguments),
        let revision = RevisionRow(row, packer)
      else { return nil }
      return (revision, row.believed("contents", as: Data.self))
    }
    guard let (row, contents) = found, row.key == key, let stored = row.revision,
      stored.manifest.digest == row.artifact, stored.evidence.artifact == row.artifact,
      let bytes = try bytes(of: row.artifact, contents: contents.map { Array($0) })
    else { return nil }
    return StoredKernel(
      key: key, revision: stored.number, verdict: stored.verdict,
      artifact: Artifact(manifest: stored.manifest, bytes: bytes), evidence: stored.evidence,
      origin: stored.origin)
  }

  /// The bytes with a digest, checked; `nil` when they are missing or corrupt.
  package func artifact(digest: Digest) throws -> [UInt8]? {
    let contents = try readUnlessDamaged { try BlobRow.contents(of: digest, in: $0) }
    return try bytes(of: digest, contents: contents)
  }

  /// The source that an artifact was compiled from.
  package func source(artifact: Digest) throws -> KernelSource? {
    let digest = try readUnlessDamaged { try BlobRow.source(of: artifact, in: $0) }
    guard let digest, let bytes = try self.artifact(digest: digest) else { return nil }
    return try? StoreJSON.decode(KernelSource.self, String(decoding: bytes, as: UTF8.self))
  }

  func blobPath(_ digest: Digest) -> String {
    "\(directory)/blobs/\(digest.hex.prefix(2))/\(digest.hex)"
  }

  /// Decodes a blob from the index, or from its file when the index has none. A corrupt one is put
  /// in quarantine.
  func bytes(of digest: Digest, contents: [UInt8]?) throws -> [UInt8]? {
    guard let blob = contents ?? blobFile(digest) else { return nil }
    return Blob.decode(blob, digest: digest) ?? healedOrQuarantined(digest)
  }

  /// - Returns: `nil` when there is no file or it cannot be read.
  func blobFile(_ digest: Digest) -> [UInt8]? {
    try? fileSystem.read(blobPath(digest), limitBytes: Blob.limitBytes + (1 << 20))
  }

  /// Takes a corrupt blob out of the way, unless it was published anew since it was read. A disk
  /// that refuses leaves it: it stays a miss.
  private func healedOrQuarantined(_ digest: Digest) -> [UInt8]? {
    changing.withLock { _ in
      let contents: [UInt8]?
      do {
        contents = try read { try BlobRow.contents(of: digest, in: $0) }
      } catch {
        return nil
      }
      guard let blob = contents ?? blobFile(digest) else { return nil }
      if let bytes = Blob.decode(blob, digest: digest) { return bytes }
      let reason = "a blob: " + Blob.fault(of: blob, digest: digest)
      if contents == nil {
        quarantine.move(blobPath(digest), as: digest.hex, reason)
      } else {
        quarantine.keep(blob, as: digest.hex, reason)
      }
      try? write { database in
        try BlobRow.lose(digest, in: database)
        try Self.increment("store.blobs.quarantined", by: 1, in: database)
      }
      return nil
    }
  }
}
