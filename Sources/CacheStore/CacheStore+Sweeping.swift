import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

/// The blobs that a collection took out of the index.
struct RemovedBlobs {
  /// Those that had bytes.
  private(set) var count = 0
  /// Compressed.
  private(set) var bytes = 0
  /// Those whose bytes are not in the index.
  private(set) var inFiles: Set<Digest> = []

  /// Removes a blob that nothing names, and then its source. A revision comes with its blobs in one transaction, so
  /// none can lose a blob here.
  mutating func removeOrphan(_ blob: Int64, in database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        DELETE FROM blobs WHERE id = ? AND \(BlobRow.isOrphan)
        RETURNING digest, stored_bytes, source, contents IS NOT NULL AS inline
        """)
    guard let row = try Row.fetchOne(statement, arguments: [blob]) else { return }
    let stored = row.believed("stored_bytes", as: Int.self) ?? 0
    count += stored > 0 ? 1 : 0
    bytes += stored
    if row.believed("inline", as: Bool.self) != true, let digest = row.digest("digest") {
      inFiles.insert(digest)
    }
    if let source = row.believed("source", as: Int64.self), source != blob {
      try removeOrphan(source, in: database)
    }
  }
}

/// A file that the index does not need.
struct UnneededFile {
  var file: BlobFiles.File
  /// Whether it may be a blob that the index does not have.
  var isBlob: Bool
}

extension CacheStore {
  /// How many files are removed while publications wait.
  private static let filesAtOnce = 32

  /// Removes blobs that nothing names and no entry that went has named: what a crash, or the removal of a key, left.
  func removeOrphans(_ steps: CollectionSteps, _ blobs: inout RemovedBlobs) throws {
    let orphans = try read {
      try Int64.fetchAll($0, sql: "SELECT id FROM blobs WHERE \(BlobRow.isOrphan)")
    }
    try steps.each(orphans, time) { batch in
      try write { database in
        for orphan in batch { try blobs.removeOrphan(orphan, in: database) }
      }
    }
  }

  /// Forgets who vouched for revisions that are gone. They are found while others write, and looked at again.
  func removeSignatures(_ steps: CollectionSteps) throws {
    let condition = """
      NOT EXISTS (SELECT 1 FROM entries JOIN revisions ON entry = entries.id
        WHERE entries.key = signatures.key AND number = signatures.revision)
      """
    let rows = try read {
      try Row.fetchAll($0, sql: "SELECT key, revision FROM signatures WHERE \(condition)")
    }
    try steps.each(rows, time) { batch in
      try write { database in
        let statement = try database.cachedStatement(
          sql: "DELETE FROM signatures WHERE key = ? AND revision = ? AND \(condition)")
        for row in batch {
          try statement.execute(arguments: [
            row["key"] as DatabaseValue, row["revision"] as DatabaseValue,
          ])
        }
      }
    }
  }

  /// Of some files, those of blobs that are in the index, and of none.
  func unneeded(_ files: [BlobFiles.File]) throws -> [UnneededFile] {
    try read { database in
      let statement = try database.cachedStatement(
        sql: """
          SELECT contents IS NOT NULL FROM blobs WHERE \(BlobRow.isNamed) AND stored_bytes > 0
          """)
      return try files.compactMap { file in
        let isInline = try file.digest.flatMap {
          try Bool.fetchOne(statement, arguments: [$0.column])
        }
        if isInline == false { return nil }
        return UnneededFile(file: file, isBlob: file.digest != nil && isInline == nil)
      }
    }
  }

  /// Removes the files of removed blobs, of blobs that are in the index, and of none.
  ///
  /// - Parameter counted: whose bytes are in the report.
  func removeFiles(counted: Set<Digest>, _ report: inout CollectionReport) throws {
    for folder in try BlobFiles.folders(in: directory, fileSystem) {
      let suspects = try unneeded(try BlobFiles.files(in: folder, fileSystem)).map(\.file)
      try removeFiles(suspects, counted: counted, &report)
    }
  }

  private func removeFiles(
    _ suspects: [BlobFiles.File], counted: Set<Digest>, _ report: inout CollectionReport
  ) throws {
    for start in stride(from: 0, to: suspects.count, by: Self.filesAtOnce) {
      let some = Array(suspects[start..<min(start + Self.filesAtOnce, suspects.count)])
      try changing.withLock { _ in
        // Nobody writes a file now, and a file that is in use has its row.
        for unneeded in try unneeded(some) {
          let file = unneeded.file
          if !(file.digest.map(counted.contains) ?? false) {
            if unneeded.isBlob { report.blobsRemoved += 1 }
            report.bytesFreed += try fileSystem.sizeBytes(of: file.path) ?? 0
          }
          try fileSystem.remove(file.path)
        }
      }
    }
  }

  /// Removes the records of revisions that are gone, and writes those that are missing: an older Granary wrote none.
  /// One folder after the other, so that a large store needs no more memory than a small one.
  func tidyRecords() throws {
    for folder in try records.folders() where UInt8(folder, radix: 16) == nil {
      try removeUnlessNamed(try records.files(in: folder))
    }
    for byte in UInt8.min...UInt8.max {
      let present = try revisionNames(ofKeysFrom: byte)
      let files = try records.files(in: RecordFiles.folder(ofKeysFrom: byte))
      let kept = Set(files.compactMap(\.name)).intersection(present)
      try removeUnlessNamed(files.filter { $0.name.map { !kept.contains($0) } ?? true })
      for name in present.subtracting(kept) { try writeRecord(name) }
    }
  }

  private func removeUnlessNamed(_ files: [RecordFiles.File]) throws {
    for start in stride(from: 0, to: files.count, by: Self.filesAtOnce) {
      let some = files[start..<min(start + Self.filesAtOnce, files.count)]
      try changing.withLock { _ in
        // Published since: a record is written before its row.
        let named = try read { database in
          try Set(some.compactMap(\.name).filter { try Self.isInIndex($0, database) })
        }
        for file in some where !(file.name.map(named.contains) ?? false) {
          try fileSystem.remove(file.path)
        }
      }
    }
  }
}
