extension CacheSchema {
  /// Version 2: what protects an entry, where a revision came from, whether it may be served, and
  /// totals that need no scan.
  static let version2 = """
    ALTER TABLE entries ADD COLUMN namespace TEXT NOT NULL DEFAULT '';
    ALTER TABLE revisions ADD COLUMN withdrawn TEXT; -- why it is never served again
    ALTER TABLE revisions ADD COLUMN origin TEXT NOT NULL DEFAULT ''; -- empty: made here
    -- 1: came from elsewhere and must pass its verification here before it is served
    ALTER TABLE revisions ADD COLUMN on_trial INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE revisions ADD COLUMN verified REAL; -- when its evidence was last repeated
    CREATE INDEX sources_by_source ON sources (source);
    CREATE TABLE leases (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      key BLOB NOT NULL CHECK (length(key) = 32),
      holder TEXT NOT NULL,
      expires REAL NOT NULL
    ) STRICT;
    CREATE INDEX leases_by_key ON leases (key);
    CREATE TABLE lock_files (path TEXT NOT NULL PRIMARY KEY, seen REAL NOT NULL)
    STRICT, WITHOUT ROWID;
    CREATE TABLE locked_kernels (
      path TEXT NOT NULL REFERENCES lock_files (path) ON DELETE CASCADE,
      key BLOB NOT NULL CHECK (length(key) = 32),
      revision INTEGER NOT NULL,
      artifact BLOB, -- null: whatever the revision has
      PRIMARY KEY (path, key, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX locked_kernels_by_key ON locked_kernels (key);
    CREATE TABLE signatures (
      key BLOB NOT NULL CHECK (length(key) = 32),
      revision INTEGER NOT NULL,
      signer TEXT NOT NULL,
      signature BLOB NOT NULL,
      PRIMARY KEY (key, revision, signer)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE uploads ( -- what is still to be given to the shared tiers
      key BLOB NOT NULL CHECK (length(key) = 32),
      revision INTEGER NOT NULL,
      attempts INTEGER NOT NULL DEFAULT 0,
      due REAL NOT NULL,
      PRIMARY KEY (key, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX uploads_by_due ON uploads (due);
    CREATE TABLE totals (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      blobs INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      stored_bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO totals SELECT 1, count(*), coalesce(sum(size_bytes), 0),
      coalesce(sum(stored_bytes), 0) FROM blobs;
    CREATE TRIGGER blobs_come AFTER INSERT ON blobs BEGIN
      UPDATE totals SET blobs = blobs + 1, size_bytes = size_bytes + new.size_bytes,
        stored_bytes = stored_bytes + new.stored_bytes;
    END;
    CREATE TRIGGER blobs_go AFTER DELETE ON blobs BEGIN
      UPDATE totals SET blobs = blobs - 1, size_bytes = size_bytes - old.size_bytes,
        stored_bytes = stored_bytes - old.stored_bytes;
    END;
    CREATE TRIGGER blobs_change AFTER UPDATE OF size_bytes, stored_bytes ON blobs BEGIN
      UPDATE totals SET size_bytes = size_bytes + new.size_bytes - old.size_bytes,
        stored_bytes = stored_bytes + new.stored_bytes - old.stored_bytes;
    END;
    """
}
