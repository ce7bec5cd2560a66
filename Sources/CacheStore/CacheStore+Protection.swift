import FoundationEssentials
import GRDB
package import KernelSpec
import Support

/// A kernel that a lock file names.
package struct LockedKernel: Sendable, Hashable {
  package var key: Digest
  package var revision: Int
  package var artifact: Digest?

  package init(key: Digest, revision: Int, artifact: Digest?) {
    self.key = key
    self.revision = revision
    self.artifact = artifact
  }
}

/// Protection from collections for some time.
package struct StoredLease: Sendable, Hashable {
  package var id: Int64
  package var key: Digest
  package var holder: String
  /// Seconds since 1970.
  package var expires: Double
}

extension CacheStore {
  /// How long a lock file protects after it was last there: its disk may only be away.
  static let lockFileGraceSeconds = 7 * 86_400.0

  /// Keeps an entry from being collected for some time, whoever does not use it.
  ///
  /// - Returns: the lease, by which it can be given back.
  /// - Throws: `store-not-found` when there is no such entry.
  package func lease(key: Digest, holder: String, seconds: Double) throws -> StoredLease {
    let expires = time.wallSeconds + seconds
    return try write(durable: true) { database in
      try database.execute(
        sql: """
          INSERT INTO leases (key, holder, expires)
          SELECT key, ?2, ?3 FROM entries WHERE key = ?1
          """, arguments: [key.column, holder, expires])
      guard database.changesCount > 0 else {
        throw GranaryError(
          .storeNotFound, "there is no such entry: \(key)", responsible: .input)
      }
      return StoredLease(
        id: database.lastInsertedRowID, key: key, holder: holder, expires: expires)
    }
  }

  /// Gives leases of an entry back. - Returns: how many there were.
  package func endLeases(key: Digest, holder: String) throws -> Int {
    try write { database in
      try database.execute(
        sql: "DELETE FROM leases WHERE key = ? AND holder = ?", arguments: [key.column, holder])
      return database.changesCount
    }
  }

  /// The leases in force.
  package func leases() throws -> [StoredLease] {
    let now = time.wallSeconds
    return try read { database in
      try Row.fetchAll(
        database, sql: "SELECT * FROM leases WHERE expires > ? ORDER BY id", arguments: [now]
      ).compactMap { row in
        guard let id = row.believed("id", as: Int64.self), let key = row.digest("key"),
          let holder = row.believed("holder", as: String.self),
          let expires = row.believed("expires", as: Double.self)
        else { return nil }
        return StoredLease(id: id, key: key, holder: holder, expires: expires)
      }
    }
  }

  /// Keeps what a lock file names from being collected, as long as the file is there. It is read
  /// again before each collection.
  ///
  /// - Throws: `store-not-found` when the path has no lock file that can be read.
  package func addLockFile(_ path: String) throws {
    guard let kernels = try Self.lockedKernels(in: path) else {
      throw GranaryError(
        .storeNotFound, "\(path) is no lock file that the daemon can read", responsible: .input)
    }
    let now = time.wallSeconds
    try write(durable: true) { try Self.note(kernels, of: path, now: now, in: $0) }
  }

  /// The lock files that protect entries, with the number of kernels that each names.
  package func lockFiles() throws -> [(path: String, kernels: Int)] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT lock_files.path, count(key) AS kernels FROM lock_files
          LEFT JOIN locked_kernels ON locked_kernels.path = lock_files.path
          GROUP BY lock_files.path ORDER BY lock_files.path
          """
      ).compactMap { row in
        row.believed("path", as: String.self).map {
          ($0, row.believed("kernels", as: Int.self) ?? 0)
        }
      }
    }
  }

  /// Reads every known lock file again. One that is gone for long, or names nothing any more,
  /// protects nothing; one that cannot be read protects what it named before.
  func readLockFiles() throws {
    let now = time.wallSeconds
    for path in try lockFiles().map(\.path) {
      if let kernels = try? Self.lockedKernels(in: path) {
        try write { try Self.note(kernels, of: path, now: now, in: $0) }
      }
    }
    try write {
      try $0.execute(
        sql: "DELETE FROM lock_files WHERE seen < ?", arguments: [now - Self.lockFileGraceSeconds])
    }
  }

  private static func note(
    _ kernels: [LockedKernel], of path: String, now: Double, in database: Database
  ) throws {
    try database.execute(
      sql: """
        INSERT INTO lock_files (path, seen) VALUES (?, ?)
        ON CONFLICT (path) DO UPDATE SET seen = excluded.seen
        """, arguments: [path, now])
    try database.execute(sql: "DELETE FROM locked_kernels WHERE path = ?", arguments: [path])
    for kernel in kernels {
      try database.execute(
        sql: "INSERT OR REPLACE INTO locked_kernels VALUES (?, ?, ?, ?)",
        arguments: [path, kernel.key.column, kernel.revision, kernel.artifact?.column])
    }
  }

  /// What of a lock file matters here.
  private struct LockFileText: Decodable {
    struct Kernel: Decodable {
      var key: Digest
      var revision: Int
      var artifact: Digest?
    }
    var granary_lock: Int
    var kernels: [Kernel]
  }

  /// - Returns: `nil` when there is no such file, or it is no lock file.
  private static func lockedKernels(in path: String) throws -> [LockedKernel]? {
    guard let bytes = try LocalFileSystem().read(path, limitBytes: 256 << 20),
      let file = try? JSONDecoder().decode(LockFileText.self, from: Data(bytes)),
      file.granary_lock == 1 || file.granary_lock == 2
    else { return nil }
    return file.kernels.map {
      LockedKernel(key: $0.key, revision: $0.revision, artifact: $0.artifact)
    }
  }
}
