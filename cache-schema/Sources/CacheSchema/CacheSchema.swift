package import GRDB

/// The database of the store: its identity and its migrations, which are only ever appended to.
package enum CacheSchema {
  /// `GRNY`, in the header of the database file.
  package static let applicationID = 0x4752_4E59
  /// The `user_version` that the last migration sets.
  package static let version = 4

  /// Brings a database of any released version to ``version``.
  ///
  /// - Parameter move: takes the rows of the tables `old_entries`, `old_revisions` and `key_parts` of version 2 over into
  ///   those of version 3, whose texts it knows to pack.
  package static func migrator(moving move: @escaping @Sendable (Database) throws -> Void)
    -> DatabaseMigrator
  {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: entries, revisions, blobs, searches") { database in
      try database.execute(sql: version1)
      try database.execute(
        sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = 1")
    }
    migrator.registerMigration("2: protection, origin, totals") { database in
      try database.execute(sql: version2)
      try database.execute(sql: "PRAGMA user_version = 2")
    }
    migrator.registerMigration("3: packed texts, numbered blobs") { database in
      try database.execute(sql: version3)
      try move(database)
      try database.execute(sql: version3End)
      try database.execute(sql: "PRAGMA user_version = 3")
    }
    // Nothing of version 3 changes, but it cannot read what is packed from now on.
    migrator.registerMigration("4: lists of numbers in binary") { database in
      try database.execute(sql: "PRAGMA user_version = 4")
    }
    return migrator
  }
}
