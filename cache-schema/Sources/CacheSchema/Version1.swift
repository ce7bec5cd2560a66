extension CacheSchema {
  /// Version 1. Released text is never edited: a change is a new migration.
  static let version1 = """
    CREATE TABLE entries (
      id INTEGER PRIMARY KEY,
      key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
      spec TEXT NOT NULL,
      name TEXT NOT NULL,
      hardware TEXT NOT NULL,
      created REAL NOT NULL,
      last_used REAL NOT NULL,
      use_count INTEGER NOT NULL DEFAULT 0,
      pinned_revision INTEGER
    ) STRICT;
    CREATE TABLE key_parts (
      entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      name TEXT NOT NULL,
      value TEXT, -- null: the spec of the entry
      PRIMARY KEY (entry, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE revisions (
      entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      verdict TEXT NOT NULL CHECK (verdict IN ('tuned', 'baseline', 'prefer-vendor')),
      artifact BLOB NOT NULL CHECK (length(artifact) = 32),
      manifest TEXT NOT NULL,
      evidence TEXT NOT NULL,
      created REAL NOT NULL,
      search_seconds REAL NOT NULL,
      seal BLOB NOT NULL CHECK (length(seal) = 32),
      PRIMARY KEY (entry, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX revisions_by_artifact ON revisions (artifact);
    CREATE TABLE last_revisions ( -- outlives the entry, so that no number is given twice
      key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
      number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE blobs (
      digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
      size_bytes INTEGER NOT NULL,
      stored_bytes INTEGER NOT NULL,
      created REAL NOT NULL,
      contents BLOB -- null: in a file
    ) STRICT;
    CREATE TABLE sources (
      artifact BLOB NOT NULL PRIMARY KEY CHECK (length(artifact) = 32),
      source BLOB NOT NULL CHECK (length(source) = 32)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE searches (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      key BLOB NOT NULL CHECK (length(key) = 32),
      state TEXT NOT NULL CHECK (state IN ('running', 'finished')),
      seed INTEGER NOT NULL,
      configuration TEXT NOT NULL,
      checkpoint TEXT NOT NULL,
      reason TEXT,
      started REAL NOT NULL,
      finished REAL
    ) STRICT;
    CREATE INDEX searches_by_key ON searches (key);
    CREATE TABLE candidates (
      search INTEGER NOT NULL REFERENCES searches (id) ON DELETE CASCADE,
      id INTEGER NOT NULL,
      record TEXT NOT NULL,
      PRIMARY KEY (search, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TRIGGER candidates_are_insert_only BEFORE UPDATE ON candidates
    BEGIN SELECT RAISE(ABORT, 'candidates are insert-only'); END;
    CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
    CREATE TABLE requests (
      id INTEGER PRIMARY KEY,
      time REAL NOT NULL,
      key BLOB NOT NULL,
      outcome TEXT NOT NULL,
      reason TEXT NOT NULL,
      latency_seconds REAL NOT NULL
    ) STRICT;
    """
}
