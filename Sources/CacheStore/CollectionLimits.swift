package import KernelSpec

/// Which entries a collection is about. Every part that is given must fit.
package struct EntryFilter: Sendable, Hashable {
  package var namespace: String?
  /// A part of the hardware's identity.
  package var hardware: String?
  /// An operator that the spec uses, with or without `aten.` and its overload.
  package var operatorName: String?
  /// A part of the name of the compiler that made a revision.
  package var toolchain: String?
  package var keys: Set<Digest>?

  package init(
    namespace: String? = nil, hardware: String? = nil, operatorName: String? = nil,
    toolchain: String? = nil, keys: Set<Digest>? = nil
  ) {
    self.namespace = namespace
    self.hardware = hardware
    self.operatorName = operatorName
    self.toolchain = toolchain
    self.keys = keys
  }

  /// Whether every entry fits.
  package var isOpen: Bool { self == EntryFilter() }
}

/// How much a store may keep. Bytes are those of compressed blobs.
package struct CollectionLimits: Sendable, Hashable {
  /// Of all entries that the filter names together.
  package var maximumBytes: Int?
  package var maximumEntries: Int?
  /// Of each namespace, but not of what belongs to none.
  package var namespaceBytes: Int?
  /// Of each hardware identity.
  package var hardwareBytes: Int?
  /// A collection that a limit of bytes or entries begins goes on until this share of it is left,
  /// so that it need not begin again with the next kernel.
  package var lowWatermark: Double
  /// How long an entry may go without being used.
  package var unusedSeconds: Double?
  /// How many finished searches are kept with their candidates: of those that are the last of an
  /// entry, the ones that ended last.
  package var finishedSearches: Int
  /// What may be removed; the rest is not looked at.
  package var filter: EntryFilter
  /// Whether all that the filter names goes, whatever the other limits say.
  package var removesMatching: Bool

  package init(
    maximumBytes: Int? = nil, maximumEntries: Int? = nil, namespaceBytes: Int? = nil,
    hardwareBytes: Int? = nil, lowWatermark: Double = 1, unusedSeconds: Double? = nil,
    finishedSearches: Int = 4096, filter: EntryFilter = EntryFilter(),
    removesMatching: Bool = false
  ) {
    self.maximumBytes = maximumBytes
    self.maximumEntries = maximumEntries
    self.namespaceBytes = namespaceBytes
    self.hardwareBytes = hardwareBytes
    self.lowWatermark = lowWatermark
    self.unusedSeconds = unusedSeconds
    self.finishedSearches = finishedSearches
    self.filter = filter
    self.removesMatching = removesMatching
  }
}

/// How large a store may become.
package struct StoreBounds: Sendable, Hashable {
  /// What the store is brought back to in the background, and at once when there is no room.
  package var collection: CollectionLimits
  /// The compressed bytes of blobs beyond which nothing is taken in.
  package var hardBytes: Int?

  package init(collection: CollectionLimits = CollectionLimits(), hardBytes: Int? = nil) {
    self.collection = collection
    self.hardBytes = hardBytes
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
  /// Those of the entries kept that no limit may remove.
  package var entriesProtected = 0
  /// Entries that were to go, and were used or protected in the meantime.
  package var entriesSpared = 0

  package init() {}

  package var isEmpty: Bool {
    entriesRemoved == 0 && revisionsRemoved == 0 && blobsRemoved == 0 && searchesRemoved == 0
      && bytesFreed == 0
  }
}
