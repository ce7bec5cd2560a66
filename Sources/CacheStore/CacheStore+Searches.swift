import GRDB
package import KernelSpec
import Support

/// A search as it was last saved.
package struct StoredSearch: Sendable, Hashable {
  package var id: Int64
  package var key: Digest
  package var isFinished: Bool
  package var seed: UInt64
  /// JSON, known to the search alone.
  package var configuration: String
  /// JSON, known to the search alone.
  package var checkpoint: String
  /// Why it ended.
  package var reason: String?
  package var started: Double
  package var finished: Double?
}

extension CacheStore {
  /// Begins a search. - Returns: its number.
  package func startSearch(key: Digest, seed: UInt64, configuration: String, checkpoint: String)
    throws -> Int64
  {
    let now = time.wallSeconds
    return try write { database in
      try database.execute(
        sql: """
          INSERT INTO searches (key, state, seed, configuration, checkpoint, started)
          VALUES (?, 'running', ?, ?, ?, ?)
          """,
        arguments: [key.column, Int64(bitPattern: seed), configuration, checkpoint, now])
      return database.lastInsertedRowID
    }
  }

  /// Saves a checkpoint together with the candidates found since the last one; a reason ends the
  /// search.
  ///
  /// - Throws: `store-not-found` for an unknown search, `store-failed` for a candidate that is
  ///   there already; then nothing is saved.
  package func saveSearch(
    _ id: Int64, checkpoint: String, candidates: [CandidateRecord] = [],
    finished reason: String? = nil
  ) throws {
    let now = time.wallSeconds
    try write { database in
      try database.execute(
        sql: """
          UPDATE searches SET checkpoint = ?2, reason = ?3, finished = iif(?3 IS NULL, NULL, ?4),
            state = iif(?3 IS NULL, 'running', 'finished') WHERE id = ?1
          """, arguments: [id, checkpoint, reason, now])
      guard database.changesCount == 1 else {
        throw GranaryError(.storeNotFound, "there is no search \(id)", responsible: .internal)
      }
      try Self.insert(candidates, search: id, in: database)
    }
  }

  /// The candidates of a search, in the order of their numbers.
  package func candidates(search: Int64) throws -> [CandidateRecord] {
    let texts = try read {
      try String.fetchAll(
        $0, sql: "SELECT record FROM candidates WHERE search = ? ORDER BY id", arguments: [search])
    }
    return texts.compactMap { try? StoreJSON.decode(CandidateRecord.self, $0) }
  }

  /// Searches to resume, oldest first.
  package func unfinishedSearches() throws -> [StoredSearch] {
    try searches("WHERE state = 'running' ORDER BY id", [])
  }

  /// The searches that ended last, newest first.
  package func finishedSearches(limit: Int) throws -> [StoredSearch] {
    try searches("WHERE state = 'finished' ORDER BY finished DESC LIMIT ?", [limit])
  }

  /// All searches of a key, newest first.
  package func searches(key: Digest) throws -> [StoredSearch] {
    try searches("WHERE key = ? ORDER BY id DESC", [key.column])
  }

  private func searches(_ condition: String, _ arguments: StatementArguments) throws
    -> [StoredSearch]
  {
    try read { database in
      let sql = "SELECT * FROM searches \(condition)"
      return try Row.fetchAll(database, sql: sql, arguments: arguments).compactMap { row in
        guard let id = row.believed("id", as: Int64.self), let key = row.digest("key"),
          let seed = row.believed("seed", as: Int64.self),
          let configuration = row.believed("configuration", as: String.self),
          let checkpoint = row.believed("checkpoint", as: String.self),
          let started = row.believed("started", as: Double.self)
        else { return nil }
        return StoredSearch(
          id: id, key: key, isFinished: row.believed("state", as: String.self) == "finished",
          seed: UInt64(bitPattern: seed), configuration: configuration, checkpoint: checkpoint,
          reason: row.believed("reason", as: String.self), started: started,
          finished: row.believed("finished", as: Double.self))
      }
    }
  }

  private static func insert(
    _ candidates: [CandidateRecord], search: Int64, in database: Database
  ) throws {
    for candidate in candidates {
      try database.execute(
        sql: "INSERT INTO candidates (search, id, record) VALUES (?, ?, ?)",
        arguments: [search, candidate.id, try StoreJSON.encode(candidate)])
    }
  }
}
