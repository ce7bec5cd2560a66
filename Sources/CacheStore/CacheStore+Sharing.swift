import FoundationEssentials
import GRDB
package import KernelSpec
import Support

/// A revision with all that another machine needs of it.
package struct ShareableRevision: Sendable, Hashable {
  package var key: Digest
  package var revision: Int
  package var spec: String
  package var name: String
  package var hardware: String
  package var verdict: Verdict
  /// JSON texts, as they are in the index.
  package var manifest: String
  package var evidence: String
  package var searchSeconds: Double
  package var artifact: [UInt8]
  /// The encoded source.
  package var source: [UInt8]
  /// Of others and of this machine, by the identifier of the key.
  package var signatures: [String: [UInt8]]
}

extension CacheStore {
  /// What is served for a key; `nil` when there is nothing, or a part of it cannot be believed.
  package func shareable(key: Digest) throws -> ShareableRevision? {
    guard let number = try lookup(key: key)?.revision else { return nil }
    return try shareable(key: key, revision: number)
  }

  package func shareable(key: Digest, revision: Int) throws -> ShareableRevision? {
    let name = RecordFiles.Name(key: key, number: revision)
    guard let facts = try makeRecord(name)?.facts, facts.withdrawn == nil, !facts.isOnTrial,
      let source = facts.source, let sourceBytes = try artifact(digest: source),
      let bytes = try artifact(digest: facts.artifact)
    else { return nil }
    return ShareableRevision(
      key: key, revision: revision, spec: facts.spec, name: facts.name, hardware: facts.hardware,
      verdict: facts.verdict, manifest: facts.manifest, evidence: facts.evidence,
      searchSeconds: facts.searchSeconds, artifact: bytes, source: sourceBytes,
      signatures: try signatures(key: key, revision: revision))
  }

  /// Keeps who vouches for a revision.
  package func keepSignatures(_ signatures: [String: [UInt8]], key: Digest, revision: Int) throws {
    try write { database in
      for (signer, signature) in signatures {
        try database.execute(
          sql: "INSERT OR REPLACE INTO signatures VALUES (?, ?, ?, ?)",
          arguments: [key.column, revision, signer, Data(signature)])
      }
    }
  }

  private func signatures(key: Digest, revision: Int) throws -> [String: [UInt8]] {
    try read { database in
      let rows = try Row.fetchAll(
        database, sql: "SELECT signer, signature FROM signatures WHERE key = ? AND revision = ?",
        arguments: [key.column, revision])
      let pairs = rows.compactMap { row -> (String, [UInt8])? in
        guard let signer = row.believed("signer", as: String.self),
          let signature = row.believed("signature", as: Data.self)
        else { return nil }
        return (signer, Array(signature))
      }
      return Dictionary(pairs) { first, _ in first }
    }
  }

  /// The texts of a manifest, evidence and source, decoded; `nil` when one is not what it should be.
  package static func decode(manifest: String, evidence: String, source: [UInt8]) -> (
    Artifact.Manifest, Evidence, KernelSource
  )? {
    guard let manifest = try? StoreJSON.decode(Artifact.Manifest.self, manifest),
      let evidence = try? StoreJSON.decode(Evidence.self, evidence),
      let source = try? StoreJSON.decode(
        KernelSource.self, String(decoding: source, as: UTF8.self))
    else { return nil }
    return (manifest, evidence, source)
  }
}

/// The revisions that are still to be given to the shared tiers. They survive the end of the process.
extension CacheStore {
  /// How long a failed upload waits at first, and at most.
  static let uploadDelays = (first: 5.0, longest: 3600.0)

  package func queueUpload(key: Digest, revision: Int) throws {
    let now = time.wallSeconds
    try write(durable: true) { database in
      try database.execute(
        sql: "INSERT OR REPLACE INTO uploads (key, revision, due) VALUES (?, ?, ?)",
        arguments: [key.column, revision, now])
    }
  }

  /// The uploads that are due, longest waiting first.
  package func dueUploads(limit: Int = 64) throws -> [(key: Digest, revision: Int)] {
    let now = time.wallSeconds
    return try read { database in
      try Row.fetchAll(
        database, sql: "SELECT key, revision FROM uploads WHERE due <= ? ORDER BY due LIMIT ?",
        arguments: [now, limit]
      ).compactMap { row in
        guard let key = row.digest("key"), let revision = row.believed("revision", as: Int.self)
        else { return nil }
        return (key, revision)
      }
    }
  }

  package func uploadsWaiting() throws -> Int {
    try read { try Int.fetchOne($0, sql: "SELECT count(*) FROM uploads") ?? 0 }
  }

  package func finishUpload(key: Digest, revision: Int) throws {
    try write {
      try $0.execute(
        sql: "DELETE FROM uploads WHERE key = ? AND revision = ?",
        arguments: [key.column, revision])
    }
  }

  /// Tries again later, each time after twice as long.
  package func postponeUpload(key: Digest, revision: Int) throws {
    let now = time.wallSeconds
    try write { database in
      try database.execute(
        sql: """
          UPDATE uploads SET attempts = attempts + 1,
            due = ?3 + min(?4 * (1 << min(attempts, 20)), ?5) WHERE key = ?1 AND revision = ?2
          """,
        arguments: [
          key.column, revision, now, Self.uploadDelays.first, Self.uploadDelays.longest,
        ])
    }
  }
}
