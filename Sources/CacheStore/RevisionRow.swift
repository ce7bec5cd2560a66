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
  var seal: Digest

  static let columns = """
    entries.key, revisions.number, verdict, artifact, manifest, evidence, \
    revisions.created AS created, search_seconds, seal
    """

  /// - Returns: `nil` when the row is damaged.
  init?(_ row: Row) {
    guard let key = Digest(column: row["key"]), let seal = Digest(column: row["seal"]),
      let artifact = Digest(column: row["artifact"]),
      let verdict = Verdict(rawValue: row["verdict"])
    else { return nil }
    self.key = key
    self.seal = seal
    self.artifact = artifact
    self.verdict = verdict
    number = row["number"]
    manifest = row["manifest"]
    evidence = row["evidence"]
    created = row["created"]
    searchSeconds = row["search_seconds"]
    guard seal == expectedSeal else { return nil }
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
    seal = artifact
    seal = expectedSeal
  }

  private var expectedSeal: Digest {
    Seal.digest(
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
      searchSeconds: searchSeconds)
  }

  func insert(into database: Database, entry: Int64) throws {
    try database.execute(
      sql: """
        INSERT INTO revisions (entry, number, verdict, artifact, manifest, evidence, created,
          search_seconds, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        entry, number, verdict.rawValue, artifact.column, manifest, evidence, created,
        searchSeconds, seal.column,
      ])
  }
}

/// JSON columns: sorted keys, so that equal values give equal text.
enum StoreJSON {
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}

extension Digest {
  init?(column: Data?) {
    guard let column else { return nil }
    self.init(bytes: Array(column))
  }

  var column: Data { Data(bytes) }
}
