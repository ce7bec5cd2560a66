import FoundationEssentials
import GRDB
import KernelSpec
import Support

/// A row of `revisions` whose seal was checked.
struct RevisionRow {
  var key: Digest
  var number: Int
  var verdict: Verdict
  var manifest: String
  var evidence: String
  var artifact: Digest
  var created: Double
  var searchSeconds: Double
  /// Of which the index keeps the first bytes: damage is what it is against.
  let seal: Digest
  var withdrawn: String?
  var origin = ""
  var isOnTrial = false
  var verified: Double?
  static let sealBytes = 8

  static let columns = """
    entries.key, revisions.number, verdict, artifacts.digest AS artifact, details, \
    revisions.created AS created, search_seconds, seal, withdrawn, origin, on_trial, verified
    """

  static let tables = """
    entries JOIN revisions ON revisions.entry = entries.id
    JOIN blobs AS artifacts ON artifacts.id = revisions.artifact
    """

  /// - Returns: `nil` when the row is damaged.
  init?(_ row: Row, _ packer: TextPacker) {
    guard let details = row.believed("details", as: Data.self),
      let artifact = row.digest("artifact"),
      let texts = packer.unpack(details: details, artifact: artifact)
    else { return nil }
    self.init(row, manifest: texts.manifest, evidence: texts.evidence)
  }

  /// - Parameter row: of any version of the schema; versions 1 and 2 have whole seals and no packed texts.
  init?(_ row: Row, manifest: String, evidence: String) {
    guard let key = row.digest("key"), let seal = row.believed("seal", as: Data.self),
      let artifact = row.digest("artifact"),
      let verdict = row.believed("verdict", as: String.self).flatMap(Verdict.init(rawValue:)),
      let number = row.believed("number", as: Int.self),
      let created = row.believed("created", as: Double.self),
      let searchSeconds = row.believed("search_seconds", as: Double.self)
    else { return nil }
    self.init(
      key: key, number: number, verdict: verdict, manifest: manifest, evidence: evidence,
      artifact: artifact, created: created, searchSeconds: searchSeconds)
    withdrawn = row.believed("withdrawn", as: String.self)
    origin = row.believed("origin", as: String.self) ?? ""
    isOnTrial = row.believed("on_trial", as: Bool.self) ?? false
    verified = row.believed("verified", as: Double.self)
    guard [Self.sealBytes, 32].contains(seal.count), self.seal.bytes.starts(with: seal) else {
      return nil
    }
  }

  init(
    key: Digest, number: Int, verdict: Verdict, manifest: String, evidence: String,
    artifact: Digest, created: Double, searchSeconds: Double
  ) {
    self.key = key
    self.number = number
    self.verdict = verdict
    self.manifest = manifest
    self.evidence = evidence
    self.artifact = artifact
    self.created = created
    self.searchSeconds = searchSeconds
    seal = Seal.digest(
      key: key, number: number, verdict: verdict.rawValue, artifact: artifact, manifest: manifest,
      evidence: evidence)
  }

  /// - Returns: `nil` when the texts cannot be decoded.
  var revision: StoredRevision? {
    guard let manifest = try? StoreJSON.decode(Artifact.Manifest.self, manifest),
      let evidence = try? StoreJSON.decode(Evidence.self, evidence)
    else { return nil }
    return StoredRevision(
      number: number, verdict: verdict, manifest: manifest, evidence: evidence, created: created,
      searchSeconds: searchSeconds, withdrawn: withdrawn, origin: origin, isOnTrial: isOnTrial,
      verified: verified)
  }

  func insert(into database: Database, entry: Int64, _ packer: TextPacker) throws {
    try database.execute(
      sql: """
        INSERT INTO revisions (entry, number, artifact, verdict, on_trial, withdrawn, origin,
          created, search_seconds, verified, seal, details)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        entry, number, try BlobRow.ensure(artifact, in: database), verdict.rawValue, isOnTrial,
        withdrawn, origin, created,
        searchSeconds, verified, Data(seal.bytes.prefix(Self.sealBytes)),
        try packer.pack(manifest: manifest, evidence: evidence, artifact: artifact),
      ])
  }
}

/// JSON columns: sorted keys, so that equal values give equal text.
enum StoreJSON {
  /// - Throws: `store-internal` for what JSON cannot say, such as a number that is not finite.
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      throw GranaryError(
        .storeInternal, "\(type(of: value)) cannot be stored as JSON: \(error)",
        responsible: .internal, underlying: error)
    }
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

extension Row {
  /// The value of a column; `nil` when it is null, not there or, in a damaged row, of another type.
  func believed<Value: DatabaseValueConvertible>(_ column: String, as type: Value.Type) -> Value? {
    guard hasColumn(column) else { return nil }
    return Value.fromDatabaseValue(self[column] as DatabaseValue)
  }

  /// The digest in a column; `nil` when there is none.
  func digest(_ column: String) -> Digest? { Digest(column: believed(column, as: Data.self)) }
}

extension Digest {
  init?(column: Data?) {
    guard let column else { return nil }
    self.init(bytes: Array(column))
  }

  var column: Data { Data(bytes) }
}
