import FoundationEssentials
import GRDB
import KernelSpec

/// Rows of `blobs`. One without stored bytes is lost: it names what a revision lacks.
enum BlobRow {
  /// Notes a blob. One that is there already stays as it is, unless it is lost or `replaces` is set.
  ///
  /// - Parameter contents: the encoded blob; `nil` when it is in a file.
  static func put(
    _ digest: Digest, sizeBytes: Int, storedBytes: Int, contents: Data?, replaces: Bool = false,
    in database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO blobs (digest, size_bytes, stored_bytes, contents) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (digest) DO UPDATE SET size_bytes = ?2, stored_bytes = ?3, contents = ?4
        WHERE stored_bytes = 0 OR ?5
        """, arguments: [digest.column, sizeBytes, storedBytes, contents, replaces])
  }

  /// Makes a row of what may be nowhere, so that it can be named.
  static func ensure(_ digest: Digest, in database: Database) throws {
    try database.execute(
      sql: "INSERT OR IGNORE INTO blobs (digest, size_bytes, stored_bytes) VALUES (?, 0, 0)",
      arguments: [digest.column])
  }

  /// Notes that the bytes of a blob are gone.
  static func lose(_ digest: Digest, in database: Database) throws {
    try database.execute(
      sql: "UPDATE blobs SET size_bytes = 0, stored_bytes = 0, contents = NULL WHERE digest = ?",
      arguments: [digest.column])
  }

  /// Notes what an artifact was compiled from.
  static func setSource(_ source: Digest, of artifact: Digest, in database: Database) throws {
    try ensure(source, in: database)
    try database.execute(
      sql: """
        UPDATE blobs SET source = (SELECT id FROM blobs WHERE digest = ?2)
        WHERE digest = ?1
        """, arguments: [artifact.column, source.column])
  }

  static func source(of artifact: Digest, in database: Database) throws -> Digest? {
    Digest(
      column: try Data.fetchOne(
        database,
        sql: """
          SELECT named.digest FROM blobs JOIN blobs AS named ON named.id = blobs.source
          WHERE blobs.digest = ?
          """, arguments: [artifact.column]))
  }

  /// Whether nothing names a blob; its row is `blobs`.
  static let isOrphan = """
    NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.artifact = blobs.id)
    AND NOT EXISTS (SELECT 1 FROM blobs AS artifacts WHERE artifacts.source = blobs.id)
    """
}
