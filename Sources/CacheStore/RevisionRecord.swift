import FoundationEssentials
import KernelSpec
import Support

/// All that is known about a revision, in a file of its own beside the index, with the blobs that only the index
/// has: from these files and those of the blobs the index can be made again.
///
/// The file is a blob of `GRNR`, the version 1 and three zero bytes, the length of a JSON text as eight bytes, the
/// text, and then each blob as its digest, its length as eight bytes and its bytes. Integers are little endian.
struct RevisionRecord: Hashable {
  private static let magic = Array("GRNR".utf8) + [1, 0, 0, 0]

  /// The part that is JSON.
  struct Facts: Hashable, Codable {
    var key: Digest
    var spec: String
    var name: String
    var hardware: String
    var namespace: String
    var parts: [StoredKeyPart]
    var number: Int
    var verdict: Verdict
    /// As in the index, for the seal is of the text.
    var manifest: String
    var evidence: String
    var artifact: Digest
    var source: Digest?
    var created: Double
    var searchSeconds: Double
    var seal: Digest
    var withdrawn: String?
    var origin: String
    var isOnTrial: Bool
  }

  struct Contents: Hashable {
    var digest: Digest
    var bytes: [UInt8]
  }

  var facts: Facts
  var blobs: [Contents]

  func encoded() throws -> [UInt8] {
    let text = Array(try StoreJSON.encode(facts).utf8)
    var bytes = Self.magic
    bytes.append(littleEndian: UInt64(text.count))
    bytes += text
    for blob in blobs {
      bytes += blob.digest.bytes
      bytes.append(littleEndian: UInt64(blob.bytes.count))
      bytes += blob.bytes
    }
    return try Blob.encode(bytes, digest: Digest(of: bytes))
  }

  init(facts: Facts, blobs: [Contents]) {
    self.facts = facts
    self.blobs = blobs
  }

  /// - Returns: `nil` unless all of it can be believed: the file, the seal of the revision, and each blob.
  init?(decoding file: [UInt8]) {
    guard let bytes = Blob.decode(file), bytes.starts(with: Self.magic) else { return nil }
    var reader = ByteReader(bytes[Self.magic.count...])
    guard let text = reader.counted(),
      let facts = try? StoreJSON.decode(Facts.self, String(decoding: text, as: UTF8.self))
    else { return nil }
    self.facts = facts
    blobs = []
    while !reader.isAtEnd {
      guard let digest = reader.take(32).flatMap({ Digest(bytes: Array($0)) }),
        let contents = reader.counted().map({ Array($0) }), Digest(of: contents) == digest
      else { return nil }
      blobs.append(Contents(digest: digest, bytes: contents))
    }
    guard row.seal == facts.seal else { return nil }
  }

  var row: RevisionRow {
    var row = RevisionRow(
      key: facts.key, number: facts.number, verdict: facts.verdict, manifest: facts.manifest,
      evidence: facts.evidence, artifact: facts.artifact, created: facts.created,
      searchSeconds: facts.searchSeconds)
    row.withdrawn = facts.withdrawn
    row.origin = facts.origin
    row.isOnTrial = facts.isOnTrial
    return row
  }
}

/// Takes bytes from the front.
struct ByteReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= rest.count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return rest.prefix(count)
  }

  /// What a length of eight bytes is followed by.
  mutating func counted() -> ArraySlice<UInt8>? {
    guard let length = take(8)?.littleEndianValue, length <= UInt64(rest.count) else { return nil }
    return take(Int(length))
  }
}
