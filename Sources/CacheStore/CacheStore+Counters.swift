import FoundationEssentials
import GRDB
package import KernelSpec
import Support

/// A request for one spec, and how it was met.
package struct RequestRecord: Sendable, Hashable {
  /// Seconds since 1970.
  package var time: Double
  /// Absent when the spec is bad.
  package var key: Digest?
  /// `hit`, `baseline`, `miss` or `failed`.
  package var outcome: String
  /// Why, as it was known then.
  package var reason: String
  package var latencySeconds: Double

  package init(
    time: Double, key: Digest?, outcome: String, reason: String, latencySeconds: Double
  ) {
    self.time = time
    self.key = key
    self.outcome = outcome
    self.reason = reason
    self.latencySeconds = latencySeconds
  }
}

extension CacheStore {
  /// The number of requests that the log keeps.
  static let requestLogCapacity: Int64 = 65536

  /// Adds to named counters, which survive restarts.
  package func increment(_ amounts: [String: Int]) throws {
    try write { database in
      for (name, amount) in amounts { try Self.increment(name, by: amount, in: database) }
    }
  }

  package func counters() throws -> [String: Int] {
    try read { database in
      let rows = try Row.fetchAll(database, sql: "SELECT name, value FROM counters")
      let pairs = rows.compactMap { row -> (String, Int)? in
        guard let name = row.believed("name", as: String.self) else { return nil }
        return row.believed("value", as: Int.self).map { (name, $0) }
      }
      return Dictionary(pairs) { first, _ in first }
    }
  }

  static func increment(_ name: String, by amount: Int, in database: Database) throws {
    try database.cachedStatement(
      sql: """
        INSERT INTO counters (name, value) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
        """
    ).execute(arguments: [name, amount])
  }

  /// Notes a request with the counters that it changes, in one transaction, and forgets the oldest
  /// request beyond the capacity. A hit is a use of its key; one of another namespace makes the
  /// entry everybody's.
  ///
  /// - Returns: the number of the request, which no other has.
  package func note(
    _ request: RequestRecord, namespace: String = "", counting amounts: [String: Int]
  ) throws -> Int64 {
    try write { database in
      for (name, amount) in amounts { try Self.increment(name, by: amount, in: database) }
      // Of each request: compiling these would take longer than running them.
      try database.cachedStatement(
        sql: """
          INSERT INTO requests (time, key, outcome, reason, latency_seconds)
          VALUES (?, ?, ?, ?, ?)
          """
      ).execute(arguments: [
        request.time, request.key?.column ?? Data(), request.outcome, request.reason,
        request.latencySeconds,
      ])
      let number = database.lastInsertedRowID
      try database.cachedStatement(sql: "DELETE FROM requests WHERE id <= ?")
        .execute(arguments: [number - Self.requestLogCapacity])
      if request.outcome == "hit", let key = request.key {
        try Self.touch([key], at: request.time, in: database)
        try database.cachedStatement(
          sql: "UPDATE entries SET namespace = '' WHERE key = ? AND namespace NOT IN ('', ?)"
        ).execute(arguments: [key.column, namespace])
      }
      return number
    }
  }

  /// The request with a number; `nil` when there was none, or when it is forgotten.
  package func request(number: Int64) throws -> RequestRecord? {
    try read { database in
      let sql = "SELECT * FROM requests WHERE id = ?"
      guard let row = try Row.fetchOne(database, sql: sql, arguments: [number]),
        let time = row.believed("time", as: Double.self),
        let outcome = row.believed("outcome", as: String.self),
        let reason = row.believed("reason", as: String.self),
        let latency = row.believed("latency_seconds", as: Double.self)
      else { return nil }
      return RequestRecord(
        time: time, key: row.digest("key"), outcome: outcome, reason: reason,
        latencySeconds: latency)
    }
  }
}
