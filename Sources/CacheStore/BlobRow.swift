import FoundationEssentials
import GRDB
import KernelSpec

/// Rows of `blobs`. One without stored bytes is lost: it names what a revision lacks.
enum BlobRow {
  /// The blob with the digest `?1`: the index has only its first bytes, which are enough to find it.
  static let isNamed = "substr(digest, 1, 8) = substr(?1, 1, 8) AND digest = ?1"

  static func number(of digest: Digest, in database: Database) throws -> Int64? {
    let statement = try database.cachedStatement(sql: "SELECT id FROM blobs WHERE \(isNamed)")
    return try Int64.fetchOne(statement, arguments: [digest.column])
  }

  /// Notes a blob. One that is there already stays as it is, unless it is lost or `replaces` is set.
  ///
  /// - Parameters:
  ///   - contents: the encoded blob; `nil` when it is in a file.
  ///   - source: what it was compiled from, when that is known. A new row has it from the beginning: one that becomes
  ///     longer later leaves its page half empty.
  static func put(
    _ digest: Digest, sizeBytes: Int, storedBytes: Int, contents: Data?, source: Digest? = nil,
    replaces: Bool = false, in database: Database
  ) throws {
    let source = try source.map { try ensure($0, in: database) }
    guard let blob = try number(of: digest, in: database) else {
      return try database.execute(
        sql: """
          INSERT INTO blobs (digest, source, size_bytes, stored_bytes, contents)
          VALUES (?, ?, ?, ?, ?)
          """, arguments: [digest.column, source, sizeBytes, storedBytes, contents])
    }
    try database.execute(
      sql: """
        UPDATE blobs SET source = coalesce(?, source), size_bytes = ?, stored_bytes = ?, contents = ?
        WHERE id = ? AND (stored_bytes = 0 OR ?)
        """, arguments: [source, sizeBytes, storedBytes, contents, blob, replaces])
  }

  /// The number of a blob, which gets a row when it has none, so that it can be named.
  static func ensure(_ digest: Digest, in database: Database) throws -> Int64 {
    if let blob = try number(of: digest, in: database) { return blob }
    try database.execute(
      sql: "INSERT INTO blobs (digest, size_bytes, stored_bytes) VALUES (?, 0, 0)",
      arguments: [digest.column])
    return database.lastInsertedRowID
  }

  /// Notes that the bytes of a blob are gone.
  static func lose(_ digest: Digest, in database: Database) throws {
    try database.execute(
      sql: "UPDATE blobs SET size_bytes = 0, stored_bytes = 0, contents = NULL WHERE \(isNamed)",
      arguments: [digest.column])
  }

  /// Notes what an artifact was compiled from.
  static func setSource(_ source: Digest, of artifact: Digest, in database: Database) throws {
    try database.execute(
      sql: "UPDATE blobs SET source = ?2 WHERE \(isNamed)",
      arguments: [artifact.column, try ensure(source, in: database)])
  }

  static func source(of artifact: Digest, in database: Database) throws -> Digest? {
    Digest(
      column: try Data.fetchOne(
        database,
        sql: """
          SELECT named.digest FROM blobs AS named
          WHERE named.id = (SELECT source FROM blobs WHERE \(isNamed))
          """, arguments: [artifact.column]))
  }

  static func contents(of digest: Digest, in database: Database) throws -> [UInt8]? {
    let row = try Row.fetchOne(
      database, sql: "SELECT contents FROM blobs WHERE \(isNamed)", arguments: [digest.column])
    return row?.believed("contents", as: Data.self).map { Array($0) }
  }

  /// Whether nothing names a blob; its row is `blobs`.
  static let isOrphan = """
    NOT EXISTS (SELECT 1 FROM revisions WHERE revisions.artifact = blobs.id)
    AND NOT EXISTS (SELECT 1 FROM blobs AS artifacts WHERE artifacts.source = blobs.id)
    """
}
