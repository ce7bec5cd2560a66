import KernelSpec

/// How much a store may keep.
package struct CollectionLimits: Sendable, Hashable {
  /// The compressed bytes of all blobs together.
  package var maximumBytes: Int?
  /// How long an entry may go without being used.
  package var unusedSeconds: Double?
  /// How many finished searches are kept with their candidates: of those that are the last of an
  /// entry, the ones that ended last.
  package var finishedSearches: Int

  package init(
    maximumBytes: Int? = nil, unusedSeconds: Double? = nil, finishedSearches: Int = 4096
  ) {
    self.maximumBytes = maximumBytes
    self.unusedSeconds = unusedSeconds
    self.finishedSearches = finishedSearches
  }
}

/// What a collection removed, or would remove.
package struct CollectionReport: Sendable, Hashable {
  package var entriesRemoved = 0
  /// Old revisions of entries that stay.
  package var revisionsRemoved = 0
  package var blobsRemoved = 0
  /// Finished searches, with their candidates.
  package var searchesRemoved = 0
  /// Of blobs, compressed, with the files that nothing refers to.
  package var bytesFreed = 0
  package var entriesKept = 0

  package var isEmpty: Bool {
    entriesRemoved == 0 && revisionsRemoved == 0 && blobsRemoved == 0 && searchesRemoved == 0
      && bytesFreed == 0
  }
}

/// Which entries, revisions and blobs go. A pure function of what the store holds.
///
/// In order: revisions beyond the newest two that are not pinned; entries unused for too long; and
/// while the blobs are too large, the entry with the most unused time for each second that its
/// search took. Pinned entries and those with an unfinished search stay, even when the limit is
/// then not met.
///
/// Source of the weight: GreedyDual, Young, "The k-server dual and loose competitiveness for
/// paging" (1994): recency divided by the cost to get it again.
struct CollectionPlan {
  static let revisionsKept = 2

  struct Revision: Hashable {
    var number: Int
    /// The artifact and its source.
    var blobs: [Digest]
    var searchSeconds: Double
  }

  struct Entry {
    var id: Int64
    var lastUsed: Double
    var isSearching: Bool
    var pinnedRevision: Int?
    /// Newest first.
    var revisions: [Revision]

    var isProtected: Bool { isSearching || pinnedRevision != nil }
  }

  private(set) var removedEntries: [Int64] = []
  private(set) var removedRevisions: [(entry: Int64, number: Int)] = []
  private(set) var keptBlobs: Set<Digest> = []
  private(set) var keptEntries = 0

  /// - Parameter sizes: the compressed bytes of each blob in the index.
  init(entries: [Entry], sizes: [Digest: Int], limits: CollectionLimits, now: Double) {
    var references = References(sizes: sizes)
    var candidates: [(entry: Entry, weight: Double)] = []
    for entry in entries {
      let trimmed = trim(entry)
      let unused = max(0, now - entry.lastUsed)
      if !entry.isProtected, let limit = limits.unusedSeconds, unused > limit {
        removedEntries.append(entry.id)
        continue
      }
      keptEntries += 1
      references.add(trimmed)
      if !entry.isProtected { candidates.append((trimmed, Self.weight(of: entry, unused: unused))) }
    }
    if let limit = limits.maximumBytes, references.bytes > limit {
      candidates.sort { ($0.weight, $1.entry.id) > ($1.weight, $0.entry.id) }
      for candidate in candidates where references.bytes > limit {
        references.remove(candidate.entry)
        removedEntries.append(candidate.entry.id)
        keptEntries -= 1
      }
    }
    let gone = Set(removedEntries)
    removedRevisions.removeAll { gone.contains($0.entry) }
    keptBlobs = references.blobs
  }

  /// One second is added to both, so that neither an unused time nor a cost of zero hides the
  /// other.
  private static func weight(of entry: Entry, unused: Double) -> Double {
    (unused + 1) / (entry.revisions.reduce(0) { $0 + max(0, $1.searchSeconds) } + 1)
  }

  /// The entry without its old revisions, which are noted.
  private mutating func trim(_ entry: Entry) -> Entry {
    var trimmed = entry
    trimmed.revisions = []
    for (position, revision) in entry.revisions.enumerated() {
      if position < Self.revisionsKept || revision.number == entry.pinnedRevision {
        trimmed.revisions.append(revision)
      } else {
        removedRevisions.append((entry.id, revision.number))
      }
    }
    return trimmed
  }
}

/// How many kept revisions refer to each blob, and the bytes of those that any refers to.
private struct References {
  let sizes: [Digest: Int]
  private(set) var bytes = 0
  private var counts: [Digest: Int] = [:]
  var blobs: Set<Digest> { Set(counts.keys) }

  init(sizes: [Digest: Int]) { self.sizes = sizes }

  mutating func add(_ entry: CollectionPlan.Entry) {
    for digest in entry.revisions.flatMap(\.blobs) {
      if counts[digest] == nil { bytes += sizes[digest] ?? 0 }
      counts[digest, default: 0] += 1
    }
  }

  mutating func remove(_ entry: CollectionPlan.Entry) {
    for digest in entry.revisions.flatMap(\.blobs) {
      counts[digest, default: 0] -= 1
      if counts[digest] == 0 {
        counts[digest] = nil
        bytes -= sizes[digest] ?? 0
      }
    }
  }
}
