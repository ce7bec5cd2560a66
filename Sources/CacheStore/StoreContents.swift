import GRDB
import KernelSpec

/// What a collection needs to know of a store. Some hundred bytes an entry: digests are left out.
struct StoreContents {
  var entries: [CollectionPlan.Entry] = []
  /// The compressed bytes of each blob that is there, by its number.
  var sizes: [Int64: Int] = [:]

  init(of database: Database, _ limits: CollectionLimits, now: Double) throws {
    let revisions = try Self.revisions(in: database)
    var namespaces = Numbering(first: "")
    let (condition, arguments) = limits.filter.condition
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT id, last_used, pinned_revision, namespace, hardware,
          \(Self.isProtected) AS protected, (\(condition)) AS matching FROM entries
        """, arguments: [now] + arguments)
    let keys = limits.filter.keys
    let chosen = try keys.map { try Self.ids(of: $0, in: database) }
    while let row = try rows.next() {
      guard let id = row.believed("id", as: Int64.self) else { continue }
      let isMatching = row.believed("matching", as: Bool.self) ?? false
      let namespace = row.believed("namespace", as: String.self) ?? ""
      let machine = row.believed("hardware", as: Int.self) ?? 0
      entries.append(
        CollectionPlan.Entry(
          id: id, lastUsed: row.believed("last_used", as: Double.self) ?? 0,
          isProtected: row.believed("protected", as: Bool.self) ?? true,
          pinnedRevision: row.believed("pinned_revision", as: Int.self),
          isMatching: isMatching && chosen.map { $0.contains(id) } ?? true,
          namespace: namespaces[namespace], hardware: machine,
          revisions: revisions[id] ?? []))
    }
    try readSizes(in: database)
  }

  /// Whether no limit may remove an entry; `?1` is the time.
  static let isProtected = """
    (pinned_revision IS NOT NULL
      OR EXISTS (SELECT 1 FROM searches WHERE searches.key = entries.key AND state = 'running')
      OR EXISTS (SELECT 1 FROM leases WHERE leases.key = entries.key AND expires > ?1)
      OR EXISTS (SELECT 1 FROM locked_kernels WHERE locked_kernels.key = entries.key))
    """

  /// Whether a lock file names a revision, by its number or by its artifact.
  static let isLocked = """
    EXISTS (SELECT 1 FROM locked_kernels JOIN entries AS owner ON owner.key = locked_kernels.key
      WHERE owner.id = revisions.entry AND (locked_kernels.revision = revisions.number
        OR locked_kernels.artifact =
          (SELECT digest FROM blobs WHERE blobs.id = revisions.artifact)))
    """

  private static func ids(of keys: Set<Digest>, in database: Database) throws -> Set<Int64> {
    let statement = try database.makeStatement(sql: "SELECT id FROM entries WHERE key = ?")
    return Set(
      try keys.compactMap { try Int64.fetchOne(statement, arguments: [$0.column]) })
  }

  private mutating func readSizes(in database: Database) throws {
    let sql = "SELECT id, stored_bytes FROM blobs WHERE stored_bytes > 0"
    let rows = try Row.fetchCursor(database, sql: sql)
    while let row = try rows.next() {
      guard let id = row.believed("id", as: Int64.self) else { continue }
      sizes[id] = row.believed("stored_bytes", as: Int.self) ?? 0
    }
  }

  private static func revisions(in database: Database) throws
    -> [Int64: [CollectionPlan.Revision]]
  {
    var found: [Int64: [CollectionPlan.Revision]] = [:]
    let rows = try Row.fetchCursor(
      database,
      sql: """
        SELECT entry, number, artifact, source, search_seconds, \(isLocked) AS locked
        FROM revisions JOIN blobs AS artifacts ON artifacts.id = revisions.artifact
        ORDER BY entry, number DESC
        """)
    while let row = try rows.next() {
      guard let entry = row.believed("entry", as: Int64.self),
        let number = row.believed("number", as: Int.self)
      else { continue }
      found[entry, default: []].append(
        CollectionPlan.Revision(
          number: number,
          blobs: ["artifact", "source"].compactMap { row.believed($0, as: Int64.self) },
          searchSeconds: row.believed("search_seconds", as: Double.self) ?? 0,
          isLocked: row.believed("locked", as: Bool.self) ?? true))
    }
    return found
  }

  func plan(_ limits: CollectionLimits, now: Double) -> CollectionPlan {
    CollectionPlan(entries: entries, sizes: sizes, limits: limits, now: now)
  }

  /// What a plan comes to when nothing changes until it is carried out.
  func report(of plan: CollectionPlan) -> CollectionReport {
    let removed = sizes.filter { !plan.keptBlobs.contains($0.key) }.values
    var report = CollectionReport()
    report.entriesRemoved = plan.removedEntries.count
    report.revisionsRemoved = plan.removedRevisions.count
    report.blobsRemoved = removed.count
    report.bytesFreed = removed.reduce(0, +)
    report.entriesKept = entries.count - plan.removedEntries.count
    report.entriesProtected = plan.protectedEntries
    return report
  }
}

extension EntryFilter {
  /// What SQL says of it, beginning with the second argument; keys are looked up apart.
  var condition: (sql: String, arguments: StatementArguments) {
    var terms = ["1"]
    var arguments = StatementArguments()
    func add(_ term: String, _ value: String) {
      arguments += [value]
      terms.append(term.replacing("?", with: "?\(terms.count + 1)"))
    }
    if let namespace { add("namespace = ?", namespace) }
    if let hardware {
      add("hardware IN (SELECT id FROM texts WHERE instr(text, ?) > 0)", hardware)
    }
    if let operatorName {
      let name = operatorName.hasPrefix("aten.") ? operatorName : "aten." + operatorName
      // With its overload, or without: the name ends with a quotation mark or a point.
      add(
        """
        (SELECT instr(text, '"op":"' || ? || '.') + instr(text, '"op":"' || ? || '"') > 0
          FROM (SELECT unpacked(spec) AS text))
        """, name)
    }
    if let toolchain {
      add(
        """
        EXISTS (SELECT 1 FROM revisions WHERE entry = entries.id
          AND instr((SELECT iif(json_valid(text), text ->> 'toolchain', '')
            FROM (SELECT manifest_of(details) AS text)), ?) > 0)
        """, toolchain)
    }
    return (terms.joined(separator: " AND "), arguments)
  }
}

/// Gives equal texts equal numbers, from 0.
private struct Numbering {
  private var numbers: [String: Int] = [:]

  init(first: String) { numbers[first] = 0 }

  subscript(text: String) -> Int {
    mutating get {
      if let number = numbers[text] { return number }
      numbers[text] = numbers.count
      return numbers.count - 1
    }
  }
}
