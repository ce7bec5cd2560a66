import FoundationEssentials
import GRDB
import KernelSpec
import Support
import Synchronization

/// Compresses the texts of the index against dictionaries of what they have in common, which the index holds too.
///
/// A packed text is the number of its dictionary as two little-endian bytes, 0 for none, and a zstd frame without
/// its first four bytes. The highest bit of the number says that lists of numbers are in binary (``NumberRuns``). The first revision of a store is its first dictionary; further ones are trained whenever there are four times as many
/// revisions as before. A dictionary is used only after it was committed, and stays for what was packed with it.
final class TextPacker: Sendable {
  /// Measured with manifests, evidence and specs of real stores: 0.39 of what level 3 needs without a dictionary, and
  /// hardly more with twice the room.
  static let dictionaryBytes = 32 << 10
  /// What every frame of zstd begins with, which is not stored. Source: RFC 8878, 3.1.1.
  private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  private static let level: Int32 = 19
  /// Beside the number of a dictionary, of which there are never so many.
  private static let hasRuns = 1 << 15
  private static let sampleCount = 512
  /// The fewest revisions that a dictionary is trained from.
  private static let fewestRevisions: Int64 = 64

  private struct State {
    var dictionaries: [Int: ZstdDictionary] = [:]
    var newest = 0
    /// How many revisions there will be when the next one is made.
    var nextTraining: Int64 = 0
  }

  private let state = Mutex(State())

  // MARK: Texts

  /// - Throws: `too-large` beyond the limit of blobs, `store-internal` when zstd fails.
  func pack(_ text: String) throws -> Data {
    let bytes = Array(text.utf8)
    guard bytes.count <= Blob.limitBytes else {
      throw GranaryError(
        .tooLarge, "a text of \(bytes.count) bytes; at most \(Blob.limitBytes) are stored",
        responsible: .input)
    }
    let (number, dictionary) = state.withLock { ($0.newest, $0.dictionaries[$0.newest]) }
    let runs = NumberRuns.packed(bytes)
    let frame = try dictionary?.compress(runs ?? bytes) ?? Zstd.compress(runs ?? bytes)
    let word = number | (runs == nil ? 0 : Self.hasRuns)
    return Data([UInt8(word & 0xFF), UInt8(word >> 8)] + frame.dropFirst(Self.magic.count))
  }

  /// - Returns: `nil` when it cannot be read.
  func unpack(_ packed: Data) -> String? {
    bytes(packed).map { String(decoding: $0, as: UTF8.self) }
  }

  private func bytes(_ packed: Data) -> [UInt8]? {
    let packed = Array(packed)
    guard packed.count > 2 else { return nil }
    let word = Int(packed[0]) | Int(packed[1]) << 8
    let frame = (Self.magic + packed[2...])[...]
    guard let size = Zstd.size(of: frame), size <= Blob.limitBytes else { return nil }
    let number = word & ~Self.hasRuns
    let bytes =
      number == 0
      ? Zstd.decompress(frame, sizeBytes: size)
      : state.withLock { $0.dictionaries[number] }?.decompress(frame, sizeBytes: size)
    if word & Self.hasRuns == 0 { return bytes }
    return bytes.flatMap { NumberRuns.unpacked($0, limitBytes: Blob.limitBytes) }
  }

  /// In no JSON text: what stands for the digest of the artifact, and what is between manifest and evidence.
  private static let digestMark: UInt8 = 1
  private static let separator: UInt8 = 0

  /// Manifest and evidence in one text. The digest of the artifact, which they are about, is left out.
  func pack(manifest: String, evidence: String, artifact: Digest) throws -> Data {
    let mark = String(UnicodeScalar(Self.digestMark))
    return try pack(
      manifest.replacing(artifact.hex, with: mark) + String(UnicodeScalar(Self.separator))
        + evidence.replacing(artifact.hex, with: mark))
  }

  /// - Parameter artifact: `nil` to leave its digest out.
  /// - Returns: `nil` when they cannot be read.
  func unpack(details: Data, artifact: Digest?) -> (manifest: String, evidence: String)? {
    guard let bytes = bytes(details), let middle = bytes.firstIndex(of: Self.separator) else {
      return nil
    }
    let digest = artifact.map { Array($0.hex.utf8) } ?? []
    func text(_ part: ArraySlice<UInt8>) -> String {
      let pieces = part.split(separator: Self.digestMark, omittingEmptySubsequences: false)
      return String(decoding: Array(pieces.joined(separator: digest)), as: UTF8.self)
    }
    return (text(bytes[..<middle]), text(bytes[(middle + 1)...]))
  }

  /// For conditions of SQL: `unpacked(x)` is a packed text, `manifest_of(x)` the manifest in packed details, without
  /// the digest of the artifact.
  var functions: [DatabaseFunction] {
    [
      DatabaseFunction("unpacked", argumentCount: 1, pure: true) { [self] values in
        Data.fromDatabaseValue(values[0]).flatMap(unpack)
      },
      DatabaseFunction("manifest_of", argumentCount: 1, pure: true) { [self] values in
        Data.fromDatabaseValue(values[0]).flatMap { unpack(details: $0, artifact: nil)?.manifest }
      },
    ]
  }

  // MARK: Dictionaries

  /// Knows the dictionaries of an index, and no others, from now on. One that is damaged is left out: what was packed
  /// with it is damaged too.
  func load(_ database: Database) throws {
    state.withLock { $0 = State() }
    let rows = try Row.fetchAll(database, sql: "SELECT * FROM dictionaries ORDER BY id DESC")
    var hasNewest = false
    for row in rows {
      guard let number = row.believed("id", as: Int.self),
        let bytes = row.believed("bytes", as: Data.self),
        let revisions = row.believed("revisions", as: Int64.self)
      else { continue }
      let isAdded = add(Array(bytes), number, revisions, isNewest: !hasNewest)
      hasNewest = hasNewest || isAdded
    }
  }

  @discardableResult
  private func add(_ bytes: [UInt8], _ number: Int, _ revisions: Int64, isNewest: Bool) -> Bool {
    guard let dictionary = ZstdDictionary(bytes, level: isNewest ? Self.level : nil) else {
      return false
    }
    state.withLock {
      $0.dictionaries[number] = dictionary
      guard isNewest else { return }
      $0.newest = number
      $0.nextTraining = Self.trainingAfter(revisions)
    }
    return true
  }

  private static func trainingAfter(_ revisions: Int64) -> Int64 {
    max(fewestRevisions, revisions * 4)
  }

  /// Makes a dictionary when one is due.
  ///
  /// - Parameters:
  ///   - revisions: how many there are.
  ///   - samples: so many typical texts at most.
  ///   - write: runs its argument in one durable transaction.
  func trainIfDue(
    revisions: Int64, samples: (_ count: Int) throws -> [[UInt8]],
    write: ((Database) throws -> Int) throws -> Int
  ) throws {
    let (isFirst, isDue) = state.withLock { ($0.newest == 0, revisions >= $0.nextTraining) }
    guard isDue else { return }
    let texts = try samples(Self.sampleCount).map { NumberRuns.packed($0) ?? $0 }
    let trained =
      texts.count < Self.fewestRevisions
      ? nil : ZstdDictionary.train(texts, capacityBytes: Self.dictionaryBytes)
    // One text is better than none.
    let first = isFirst ? texts.first.map { Array($0.prefix(Self.dictionaryBytes)) } : nil
    guard let bytes = trained ?? first else {
      return state.withLock { $0.nextTraining = Self.trainingAfter(revisions) }
    }
    let number = try write {
      try $0.execute(
        sql: "INSERT INTO dictionaries (bytes, revisions) VALUES (?, ?)",
        arguments: [Data(bytes), revisions])
      return Int($0.lastInsertedRowID)
    }
    add(bytes, number, revisions, isNewest: true)
  }
}
