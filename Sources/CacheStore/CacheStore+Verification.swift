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
  /// Revisions whose record is damaged or missing. Repairing writes it anew.
  package var recordsDamaged = 0
  /// Whether SQLite finds its file in order. Otherwise the next opening rebuilds the index.
  package var indexIsSound = true

  package var isSound: Bool {
    indexIsSound && blobsDamaged == 0 && blobsMissing == 0 && revisionsDamaged == 0
      && recordsDamaged == 0
  }
}

extension CacheStore {
  /// Reads every blob, every revision and every record, and checks them against their digests and seals.
  ///
  /// - Parameter repair: puts damaged blobs in quarantine, takes them from the records again where these have them,
  ///   removes damaged revisions and those without their bytes, with the pins on them, so that the keys are made
  ///   anew, and writes damaged records anew.
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
    report.revisionsChecked = rows.count
    report.revisionsDamaged = rows.count { RevisionRow($0, packer) == nil }
    let damaged = try damagedRecords(rows)
    report.recordsDamaged = damaged.count
    if repair, !report.isSound { try repairRows(damaged) }
    return report
  }

  /// The revisions that are sound and whose record does not say so.
  private func damagedRecords(_ rows: [Row]) throws -> [RecordFiles.Name] {
    rows.compactMap { RevisionRow($0, packer) }.compactMap { row in
      let name = RecordFiles.Name(key: row.key, number: row.number)
      let record = records.read(name)
      return record?.facts.seal == row.seal && record?.facts.withdrawn == row.withdrawn ? nil : name
    }
  }

  private func repairRows(_ damagedRecords: [RecordFiles.Name]) throws {
    try restoreFromRecords()
    try removeLostRevisions()
    for name in damagedRecords {
      let path = records.path(name)
      if try fileSystem.sizeBytes(of: path) != nil {
        quarantine.move(path, as: name.text, "a record: it is damaged or about something else")
      }
      try writeRecord(name)
    }
  }

  /// Puts blobs and revisions that the index has lost back from the records.
  private func restoreFromRecords() throws {
    try changing.withLock { _ in
      try write(durable: true) { try removeDamagedRevisions(in: $0) }
      try using {
        try Salvage(from: "", blobs: fileSystem, in: directory, into: $0, packer).runOnFiles()
      }
    }
  }

  private enum BlobState { case sound, damaged, missing }

  private func indexIsSound() throws -> Bool {
    let answer = try readUnlessDamaged { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
    if answer != "ok" { noteDamage() }
    return answer == "ok"
  }

  private func namedBlobs() throws -> [Digest] {
    try read { try Data.fetchAll($0, sql: "SELECT digest FROM blobs ORDER BY digest") }
      .compactMap { Digest(column: $0) }
  }

  private func state(of digest: Digest) throws -> BlobState {
    let inline = try read { try BlobRow.contents(of: digest, in: $0) }
    guard let blob = inline ?? blobFile(digest) else { return .missing }
    return Blob.decode(blob, digest: digest) == nil ? .damaged : .sound
  }

  private func forgetUnlessSound(_ digest: Digest) throws {
    // Reading a damaged blob puts it in quarantine.
    guard try artifact(digest: digest) == nil else { return }
    try changing.withLock { _ in
      guard try state(of: digest) == .missing else { return }
      try write { try BlobRow.lose(digest, in: $0) }
    }
  }

  private func revisionRows() throws -> [Row] { try read(Self.revisionRows) }

  private static func revisionRows(in database: Database) throws -> [Row] {
    try Row.fetchAll(
      database,
      sql: """
        SELECT \(RevisionRow.columns), revisions.entry FROM \(RevisionRow.tables)
        """)
  }

  private func removeDamagedRevisions(in database: Database) throws {
    for row in try Self.revisionRows(in: database) where RevisionRow(row, packer) == nil {
      try database.execute(
        sql: "DELETE FROM revisions WHERE entry = ? AND number = ?",
        arguments: [row["entry"], row["number"]])
    }
  }

  /// Removes revisions whose artifact is nowhere, then entries without a revision and pins without one.
  private func removeLostRevisions() throws {
    try write(durable: true) { database in
      try database.execute(
        sql: """
          DELETE FROM revisions WHERE artifact IN (SELECT id FROM blobs WHERE stored_bytes = 0);
          UPDATE blobs SET source = NULL
            WHERE source IN (SELECT id FROM blobs WHERE stored_bytes = 0);
          DELETE FROM blobs WHERE stored_bytes = 0
            AND id NOT IN (SELECT artifact FROM revisions);
          DELETE FROM entries WHERE id NOT IN (SELECT entry FROM revisions);
          \(Salvage.dropLostPins)
          """)
    }
    try tidyRecords()
  }
}
