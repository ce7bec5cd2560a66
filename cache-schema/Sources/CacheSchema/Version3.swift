extension CacheSchema {
  /// Version 3: an index of less than a kilobyte an entry. Texts are compressed, what many entries have in common is
  /// there once, and blobs are named by numbers. The tables of version 2 are set aside as `old_…`.
  static let version3 = """
    ALTER TABLE entries RENAME TO old_entries;
    ALTER TABLE revisions RENAME TO old_revisions;
    ALTER TABLE blobs RENAME TO old_blobs;
    DROP INDEX revisions_by_artifact;
    DROP TRIGGER blobs_come;
    DROP TRIGGER blobs_go;
    DROP TRIGGER blobs_change;
    DROP TABLE totals;
    CREATE TABLE dictionaries ( -- what packed texts are compressed against
      id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 65535),
      bytes BLOB NOT NULL,
      revisions INTEGER NOT NULL -- how many there were when it was made
    ) STRICT;
    CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE blobs (
      id INTEGER PRIMARY KEY,
      digest BLOB NOT NULL CHECK (length(digest) = 32), -- in one row only
      source INTEGER, -- the blob of the source that this artifact was compiled from
      size_bytes INTEGER NOT NULL,
      stored_bytes INTEGER NOT NULL, -- 0: lost, and kept for the revisions that name it
      contents BLOB -- null: in a file
    ) STRICT;
    CREATE INDEX blobs_by_digest ON blobs (substr(digest, 1, 8));
    CREATE INDEX blobs_by_source ON blobs (source) WHERE source IS NOT NULL;
    CREATE TABLE entries (
      id INTEGER PRIMARY KEY,
      key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
      name TEXT NOT NULL,
      namespace TEXT NOT NULL DEFAULT '',
      hardware INTEGER NOT NULL REFERENCES texts (id),
      parts INTEGER NOT NULL REFERENCES texts (id), -- JSON; without a value: the spec of the entry
      last_revision INTEGER NOT NULL DEFAULT 0,
      pinned_revision INTEGER,
      use_count INTEGER NOT NULL DEFAULT 0,
      created REAL NOT NULL,
      last_used REAL NOT NULL,
      spec_hash INTEGER NOT NULL, -- the first 4 bytes of the SHA-256 of the spec
      spec BLOB NOT NULL -- packed
    ) STRICT;
    CREATE INDEX entries_by_spec ON entries (spec_hash);
    CREATE TABLE revisions (
      id INTEGER PRIMARY KEY,
      entry INTEGER NOT NULL REFERENCES entries (id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      artifact INTEGER NOT NULL REFERENCES blobs (id),
      verdict TEXT NOT NULL CHECK (verdict IN ('tuned', 'baseline', 'prefer-vendor')),
      on_trial INTEGER NOT NULL DEFAULT 0,
      withdrawn TEXT,
      origin TEXT NOT NULL DEFAULT '',
      created REAL NOT NULL,
      search_seconds REAL NOT NULL,
      verified REAL,
      seal BLOB NOT NULL CHECK (length(seal) = 8), -- the first bytes of it
      details BLOB NOT NULL, -- packed: manifest, a zero byte, evidence
      UNIQUE (entry, number)
    ) STRICT;
    CREATE INDEX revisions_by_artifact ON revisions (artifact);
    CREATE TRIGGER entries_go AFTER DELETE ON entries WHEN old.last_revision > 0 BEGIN
      INSERT INTO last_revisions VALUES (old.key, old.last_revision)
        ON CONFLICT (key) DO UPDATE SET number = max(number, excluded.number);
    END;
    CREATE TABLE totals (
      id INTEGER PRIMARY KEY CHECK (id = 1),
      blobs INTEGER NOT NULL,
      size_bytes INTEGER NOT NULL,
      stored_bytes INTEGER NOT NULL
    ) STRICT;
    INSERT INTO totals VALUES (1, 0, 0, 0);
    CREATE TRIGGER blobs_come AFTER INSERT ON blobs BEGIN
      UPDATE totals SET blobs = blobs + (new.stored_bytes > 0),
        size_bytes = size_bytes + new.size_bytes, stored_bytes = stored_bytes + new.stored_bytes;
    END;
    CREATE TRIGGER blobs_go AFTER DELETE ON blobs BEGIN
      UPDATE totals SET blobs = blobs - (old.stored_bytes > 0),
        size_bytes = size_bytes - old.size_bytes, stored_bytes = stored_bytes - old.stored_bytes;
    END;
    CREATE TRIGGER blobs_change AFTER UPDATE OF size_bytes, stored_bytes ON blobs BEGIN
      UPDATE totals SET blobs = blobs + (new.stored_bytes > 0) - (old.stored_bytes > 0),
        size_bytes = size_bytes + new.size_bytes - old.size_bytes,
        stored_bytes = stored_bytes + new.stored_bytes - old.stored_bytes;
    END;
    INSERT INTO blobs (digest, size_bytes, stored_bytes, contents)
      SELECT digest, size_bytes, stored_bytes, contents FROM old_blobs;
    INSERT INTO blobs (digest, size_bytes, stored_bytes)
      SELECT digest, 0, 0 FROM (SELECT artifact AS digest FROM old_revisions UNION
        SELECT source FROM sources) WHERE digest NOT IN (SELECT digest FROM old_blobs);
    UPDATE blobs SET source = (SELECT named.id FROM sources
      JOIN blobs AS named ON substr(named.digest, 1, 8) = substr(sources.source, 1, 8)
        AND named.digest = sources.source WHERE sources.artifact = blobs.digest)
      WHERE digest IN (SELECT artifact FROM sources);
    """

  /// After the rows of `old_entries` and `old_revisions` were moved.
  static let version3End = """
    DELETE FROM last_revisions WHERE key IN (SELECT key FROM entries);
    DROP TABLE key_parts;
    DROP TABLE old_revisions;
    DROP TABLE old_entries;
    DROP TABLE old_blobs;
    DROP TABLE sources;
    """
}
