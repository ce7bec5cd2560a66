import FoundationEssentials
import GRDB
package import KernelSpec
import Support
import Synchronization

/// What decides whether an entry is stale.
package struct EntryFacts: Sendable, Hashable {
  package var key: Digest
  package var name: String
  package var hardware: String
  package var lastUsed: Double
  /// Of the newest revision that is served, or of the newest at all.
  package var revision: Int
  package var toolchain: String
  /// Absent in what an older Granary recorded.
  package var provenance: Evidence.Provenance?
  /// Whether it went through a whole search.
  package var isSearched: Bool
  /// Whether the newest revision failed when its evidence was repeated.
  package var isWithdrawn: Bool

  package init(
    key: Digest, name: String, hardware: String, lastUsed: Double, revision: Int,
    toolchain: String, provenance: Evidence.Provenance?, isSearched: Bool, isWithdrawn: Bool
  ) {
    self.key = key
    self.name = name
    self.hardware = hardware
    self.lastUsed = lastUsed
    self.revision = revision
    self.toolchain = toolchain
    self.provenance = provenance
    self.isSearched = isSearched
    self.isWithdrawn = isWithdrawn
  }
}

extension CacheStore {
  /// The number of the revision that is served for an entry: the pinned one, else the newest, of
  /// those that are neither withdrawn nor on trial.
  static let servedNumber = """
    coalesce((SELECT number FROM revisions AS pinned WHERE pinned.entry = entries.id
        AND pinned.number = entries.pinned_revision AND withdrawn IS NULL AND on_trial = 0),
      (SELECT max(number) FROM revisions AS newest WHERE newest.entry = entries.id
        AND withdrawn IS NULL AND on_trial = 0))
    """

  /// What decides about staleness, of every entry, last used first.
  package func facts() throws -> [EntryFacts] {
    try read { database in
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT entries.key, name, machines.text AS machine, last_used, revisions.number, details, EXISTS (
            SELECT 1 FROM revisions AS last WHERE last.entry = entries.id AND withdrawn IS NOT NULL
              AND last.number = (SELECT max(number) FROM revisions WHERE entry = entries.id))
            AS gone
          FROM entries JOIN texts AS machines ON machines.id = entries.hardware
          JOIN revisions ON revisions.entry = entries.id AND revisions.number =
            coalesce(\(Self.servedNumber), (SELECT max(number) FROM revisions
              WHERE entry = entries.id))
          ORDER BY last_used DESC, entries.id
          """)
      var facts: [EntryFacts] = []
      while let row = try rows.next() {
        if let fact = EntryFacts(row, packer) { facts.append(fact) }
      }
      return facts
    }
  }

  /// Never serves a revision again.
  package func withdraw(key: Digest, revision: Int, reason: String) throws {
    let name = RecordFiles.Name(key: key, number: revision)
    try changeRevision(key, revision, "withdrawn = ?3", [reason])
    try writeRecord(name)
    try increment(["revisions_withdrawn": 1])
  }

  /// Notes that a revision passed its verification on this machine just now; one on trial is served
  /// from now on.
  package func noteVerified(key: Digest, revision: Int) throws {
    try changeRevision(key, revision, "verified = ?3, on_trial = 0", [time.wallSeconds])
  }

  private func changeRevision(
    _ key: Digest, _ revision: Int, _ change: String, _ values: StatementArguments
  ) throws {
    try write(durable: true) { database in
      try database.execute(
        sql: """
          UPDATE revisions SET \(change)
          WHERE number = ?2 AND entry = (SELECT id FROM entries WHERE key = ?1)
          """, arguments: [key.column, revision] + values)
      guard database.changesCount > 0 else {
        throw GranaryError(
          .storeNotFound, "there is no revision \(revision) of \(key)", responsible: .input)
      }
    }
  }

  /// Publishes an old revision again, under a new number, so that it is served.
  ///
  /// - Returns: the new number.
  /// - Throws: `store-not-found` when there is no such revision, or it was withdrawn.
  package func rollBack(key: Digest, to revision: Int) throws -> Int {
    let now = time.wallSeconds
    let number = try changing.withLock { _ in
      try write(durable: true) { database in
        let row = try Row.fetchOne(
          database,
          sql: """
            SELECT \(RevisionRow.columns), revisions.entry FROM \(RevisionRow.tables)
            WHERE entries.key = ? AND number = ? AND withdrawn IS NULL AND on_trial = 0
            """, arguments: [key.column, revision])
        guard let row, let entry = row.believed("entry", as: Int64.self),
          var old = RevisionRow(row, packer)
        else {
          throw GranaryError(
            .storeNotFound, "\(key) has no revision \(revision) that may be served",
            responsible: .input)
        }
        old.created = now
        let new = old.numbered(try Self.nextRevision(key: key, in: database))
        try new.insert(into: database, entry: entry, packer)
        return new.number
      }
    }
    try writeRecord(RecordFiles.Name(key: key, number: number))
    return number
  }
}

extension EntryFacts {
  /// What of the evidence matters here: the samples are left alone.
  private struct EvidenceText: Decodable {
    struct Timing: Decodable {}
    var toolchain: String
    var provenance: Evidence.Provenance?
    var timing: Timing?
  }

  fileprivate init?(_ row: Row, _ packer: TextPacker) {
    guard let key = row.digest("key"), let name = row.believed("name", as: String.self),
      let hardware = row.believed("machine", as: String.self),
      let lastUsed = row.believed("last_used", as: Double.self),
      let revision = row.believed("number", as: Int.self),
      let details = row.believed("details", as: Data.self),
      let text = packer.unpack(details: details, artifact: nil)?.evidence,
      let evidence = try? StoreJSON.decode(EvidenceText.self, text)
    else { return nil }
    self.init(
      key: key, name: name, hardware: hardware, lastUsed: lastUsed, revision: revision,
      toolchain: evidence.toolchain, provenance: evidence.provenance,
      isSearched: evidence.timing != nil, isWithdrawn: row.believed("gone", as: Bool.self) ?? false)
  }
}
