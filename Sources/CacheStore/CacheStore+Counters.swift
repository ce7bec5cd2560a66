import GRDB
package import KernelSpec
import Support

/// A request, for the log.
package struct RequestRecord: Sendable, Hashable {
  package var time: Double
  package var key: Digest
  package var outcome: String
  package var reason: String
  package var latencySeconds: Double

  package init(time: Double, key: Digest, outcome: String, reason: String, latencySeconds: Double) {
    self.time = time
    self.key = key
    self.outcome = outcome
    self.reason = reason
    self.latencySeconds = latencySeconds
  }
}

extension CacheStore {
  /// The number of requests that the log keeps.
  static let requestLogCapacity = 4096

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
    try database.execute(
      sql: """
        INSERT INTO counters (name, value) VALUES (?, ?)
        ON CONFLICT (name) DO UPDATE SET value = value + excluded.value
        """, arguments: [name, amount])
  }

  /// Notes requests, and forgets the oldest beyond the capacity.
  package func record(_ requests: [RequestRecord]) throws {
    try write { database in
      for request in requests {
        try database.execute(
          sql: """
            INSERT INTO requests (time, key, outcome, reason, latency_seconds)
            VALUES (?, ?, ?, ?, ?)
            """,
          arguments: [
            request.time, request.key.column, request.outcome, request.reason,
            request.latencySeconds,
          ])
      }
      try database.execute(
        sql: "DELETE FROM requests WHERE id <= (SELECT max(id) FROM requests) - ?",
        arguments: [Self.requestLogCapacity])
    }
  }

  /// The newest requests, newest first.
  package func requests(limit: Int) throws -> [RequestRecord] {
    try read { database in
      let sql = "SELECT * FROM requests ORDER BY id DESC LIMIT ?"
      return try Row.fetchAll(database, sql: sql, arguments: [limit]).compactMap { row in
        guard let key = row.digest("key"), let time = row.believed("time", as: Double.self),
          let outcome = row.believed("outcome", as: String.self),
          let reason = row.believed("reason", as: String.self),
          let latency = row.believed("latency_seconds", as: Double.self)
        else { return nil }
        return RequestRecord(
          time: time, key: key, outcome: outcome, reason: reason, latencySeconds: latency)
      }
    }
  }
}
