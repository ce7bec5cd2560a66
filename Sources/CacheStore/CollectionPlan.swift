import KernelSpec

/// Which entries, revisions and blobs go. A pure function of what the store holds.
///
/// In order: revisions beyond the newest two that are neither pinned nor locked; what the filter
/// names, if all of it is to go; entries unused for too long; then, for each namespace, each
/// hardware, the number of entries and the bytes of all, the entry with the most unused time for
/// each second that its search took, until the low watermark of the limit. Protected entries stay,
/// even when a limit is then not met.
///
/// Source of the weight: GreedyDual, Young, "The k-server dual and loose competitiveness for
/// paging" (1994): recency divided by the cost to get it again.
struct CollectionPlan {
  static let revisionsKept = 2

  struct Revision: Hashable {
    var number: Int
    /// The numbers of the artifact and its source.
    var blobs: [Int64]
    var searchSeconds: Double
    /// Whether a lock file names it.
    var isLocked = false
  }

  struct Entry {
    var id: Int64
    var lastUsed: Double
    /// By a search that runs, a lease, a pin or a lock file.
    var isProtected: Bool
    var pinnedRevision: Int?
    /// Whether the filter names it.
    var isMatching = true
    /// Entries of one namespace, or of one hardware, have equal numbers; 0 is no namespace.
    var namespace = 0
    var hardware = 0
    /// Newest first.
    var revisions: [Revision]
  }

  private(set) var removedEntries: [Int] = []
  private(set) var removedRevisions: [(entry: Int64, number: Int)] = []
  private(set) var keptBlobs: Set<Int64> = []
  private(set) var protectedEntries = 0
  private var references: References
  private var isRemoved: [Bool]

  /// - Parameter sizes: the compressed bytes of each blob in the index.
  init(entries: [Entry], sizes: [Int64: Int], limits: CollectionLimits, now: Double) {
    references = References(sizes: sizes)
    isRemoved = Array(repeating: false, count: entries.count)
    let kept = entries.map { keptRevisions(of: $0) }
    for revisions in kept { references.add(revisions) }
    protectedEntries = entries.count(where: \.isProtected)
    var candidates: [(position: Int, weight: Double)] = []
    for (position, entry) in entries.enumerated() where entry.isMatching && !entry.isProtected {
      let unused = max(0, now - entry.lastUsed)
      if limits.removesMatching || limits.unusedSeconds.map({ unused > $0 }) ?? false {
        remove(position, kept[position])
      } else {
        candidates.append((position, Self.weight(of: entry, unused: unused)))
      }
    }
    candidates.sort { ($0.weight, entries[$1.position].id) > ($1.weight, entries[$0.position].id) }
    let order = candidates.map(\.position)
    shrinkGroups(limits.namespaceBytes, limits, entries, kept, order, exceptNone: true, \.namespace)
    shrinkGroups(limits.hardwareBytes, limits, entries, kept, order, exceptNone: false, \.hardware)
    shrinkCount(limits, entries, kept, order)
    shrinkBytes(limits, entries, kept, order)
    let gone = Set(removedEntries.map { entries[$0].id })
    removedRevisions.removeAll { gone.contains($0.entry) }
    keptBlobs = references.blobs
  }

  private mutating func remove(_ position: Int, _ revisions: [Revision]) {
    isRemoved[position] = true
    references.remove(revisions)
    removedEntries.append(position)
  }

  /// Brings every group of entries below the limit on its bytes, counted without sharing.
  private mutating func shrinkGroups(
    _ limit: Int?, _ limits: CollectionLimits, _ entries: [Entry], _ kept: [[Revision]],
    _ order: [Int], exceptNone: Bool, _ group: KeyPath<Entry, Int>
  ) {
    guard let limit else { return }
    var bytes: [Int: Int] = [:]
    for (position, entry) in entries.enumerated() where !isRemoved[position] {
      bytes[entry[keyPath: group], default: 0] += references.bytes(of: kept[position])
    }
    let low = Int(Double(limit) * limits.lowWatermark)
    let large = Set(bytes.filter { $0.value > limit && !(exceptNone && $0.key == 0) }.keys)
    for position in order where !isRemoved[position] {
      let owner = entries[position][keyPath: group]
      guard large.contains(owner), let held = bytes[owner], held > low else { continue }
      bytes[owner] = held - references.bytes(of: kept[position])
      remove(position, kept[position])
    }
  }

  private mutating func shrinkCount(
    _ limits: CollectionLimits, _ entries: [Entry], _ kept: [[Revision]], _ order: [Int]
  ) {
    guard let limit = limits.maximumEntries else { return }
    var count = entries.indices.count { entries[$0].isMatching && !isRemoved[$0] }
    guard count > limit else { return }
    for position in order where !isRemoved[position] {
      guard count > Int(Double(limit) * limits.lowWatermark) else { return }
      remove(position, kept[position])
      count -= 1
    }
  }

  private mutating func shrinkBytes(
    _ limits: CollectionLimits, _ entries: [Entry], _ kept: [[Revision]], _ order: [Int]
  ) {
    guard let limit = limits.maximumBytes else { return }
    // Of a part of the store, its own bytes are counted; of the whole, those that are there.
    var own = 0
    for (position, entry) in entries.enumerated() where entry.isMatching && !isRemoved[position] {
      own += references.bytes(of: kept[position])
    }
    let isWhole = limits.filter.isOpen
    guard (isWhole ? references.bytes : own) > limit else { return }
    let low = Int(Double(limit) * limits.lowWatermark)
    for position in order where !isRemoved[position] {
      guard (isWhole ? references.bytes : own) > low else { return }
      own -= references.bytes(of: kept[position])
      remove(position, kept[position])
    }
  }

  /// One second is added to both, so that neither an unused time nor a cost of zero hides the
  /// other.
  private static func weight(of entry: Entry, unused: Double) -> Double {
    (unused + 1) / (entry.revisions.reduce(0) { $0 + max(0, $1.searchSeconds) } + 1)
  }

  /// The revisions that stay with their entry; the others are noted.
  private mutating func keptRevisions(of entry: Entry) -> [Revision] {
    var kept: [Revision] = []
    for (position, revision) in entry.revisions.enumerated() {
      if position < Self.revisionsKept || revision.isLocked
        || revision.number == entry.pinnedRevision
      {
        kept.append(revision)
      } else {
        removedRevisions.append((entry.id, revision.number))
      }
    }
    return kept
  }
}

/// How many kept revisions refer to each blob, and the bytes of those that any refers to.
private struct References {
  let sizes: [Int64: Int]
  private(set) var bytes = 0
  private var counts: [Int64: Int] = [:]
  var blobs: Set<Int64> { Set(counts.keys) }

  init(sizes: [Int64: Int]) { self.sizes = sizes }

  func bytes(of revisions: [CollectionPlan.Revision]) -> Int {
    Set(revisions.flatMap(\.blobs)).reduce(0) { $0 + (sizes[$1] ?? 0) }
  }

  mutating func add(_ revisions: [CollectionPlan.Revision]) {
    for blob in revisions.flatMap(\.blobs) {
      if counts[blob] == nil { bytes += sizes[blob] ?? 0 }
      counts[blob, default: 0] += 1
    }
  }

  mutating func remove(_ revisions: [CollectionPlan.Revision]) {
    for blob in revisions.flatMap(\.blobs) {
      counts[blob, default: 0] -= 1
      if counts[blob] == 0 {
        counts[blob] = nil
        bytes -= sizes[blob] ?? 0
      }
    }
  }
}
