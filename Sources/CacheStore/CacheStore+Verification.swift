import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

/// What a check of the whole store found.
package struct VerificationReport: Sendable, Hashable {
  package var blobsChecked = 0
  /// Blobs whose bytes do not have their digest. Repairing puts them in quarantine.
  package var blobsDamaged = 0
  /// Blobs that the index or a revision names and that are nowhere.
  package var blobsMissing = 0
  package var revisionsChecked = 0
  /// Revisions whose row differs from its seal. Repairing removes them.
  package var revisionsDamaged = 0
  /// Whether SQLite finds its file in order. Otherwise the next opening rebuilds the index.
  package var indexIsSound = true

  package var isSound: Bool {
    indexIsSound && blobsDamaged == 0 && blobsMissing == 0 && revisionsDamaged == 0
  }
}

extension CacheStore {
  /// Reads every blob and every revision and checks them against their digests and seals.
  ///
  /// - Parameter repair: puts damaged blobs in quarantine, removes damaged revisions with the pins on them,
  ///   and forgets blobs that are missing, so that the keys are searched again.
  /// - Throws: `store-damaged` when the index cannot even be listed; reopening rebuilds it.
  package func verifyAll(repair: Bool) throws -> VerificationReport {
    var report = VerificationReport()
    report.indexIsSound = try indexIsSound()
    for digest in try namedBlobs() {
      report.blobsChecked += 1
      switch try state(of: digest) {
      case .sound: break
      case .damaged: report.blobsDamaged += 1
      case .missing: report.blobsMissing += 1
      }
      if repair { try forgetUnlessSound(digest) }
    }
    let rows = try revisionRows()
    let damaged = rows.filter { RevisionRow($0) == nil }
    report.revisionsChecked = rows.count
    report.revisionsDamaged = damaged.count
    if repair, !damaged.isEmpty { try removeDamagedRevisions() }
    return report
  }

  private enum BlobState { case sound, damaged, missing }

  private func indexIsSound() throws -> Bool {
    let answer = try readUnlessDamaged { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
    if answer != "ok" { noteDamage() }
    return answer == "ok"
  }

  private func namedBlobs() throws -> [Digest] {
    try read {
      try Data.fetchAll(
        $0,
        sql: """
          SELECT digest FROM blobs UNION SELECT artifact FROM revisions
          UNION SELECT source FROM sources
          """)
    }.compactMap { Digest(column: $0) }
  }

  private func state(of digest: Digest) throws -> BlobState {
    let inline = try read {
      try Row.fetchOne(
        $0, sql: "SELECT contents FROM blobs WHERE digest = ?", arguments: [digest.column])
    }?.believed("contents", as: Data.self)
    guard let blob = inline.map({ Array($0) }) ?? blobFile(digest) else { return .missing }
    return Blob.decode(blob, digest: digest) == nil ? .damaged : .sound
  }

  private func forgetUnlessSound(_ digest: Digest) throws {
    // Reading a damaged blob puts it in quarantine.
    guard try artifact(digest: digest) == nil else { return }
    try changing.withLock { _ in
      guard try state(of: digest) == .missing else { return }
      try write {
        try $0.execute(sql: "DELETE FROM blobs WHERE digest = ?", arguments: [digest.column])
      }
    }
  }

  private func revisionRows() throws -> [Row] { try read(Self.revisionRows) }

  private static func revisionRows(in database: Database) throws -> [Row] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT \(RevisionRow.columns), revisions.entry FROM revisions
        JOIN entries ON entries.id = entry
        """)
  }

  private func removeDamagedRevisions() throws {
    try write(durable: true) { database in
      for row in try Self.revisionRows(in: database) where RevisionRow(row) == nil {
        try database.execute(
          sql: "DELETE FROM revisions WHERE entry = ? AND number = ?",
          arguments: [row["entry"], row["number"]])
      }
      try database.execute(
        sql: """
          DELETE FROM entries WHERE id NOT IN (SELECT entry FROM revisions);
          \(Salvage.dropLostPins)
          """)
    }
  }
}
