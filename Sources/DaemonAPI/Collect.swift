/// The body of `POST /v1/entries/{key}/pin`.
public struct PinRequest: Sendable, Hashable, Codable {
  public var pinned: Bool
  /// The revision that is served from then on; without it, the newest.
  public var revision: Int?

  public init(pinned: Bool, revision: Int? = nil) {
    self.pinned = pinned
    self.revision = revision
  }
}

/// The body of `POST /v1/collect`: what may go.
///
/// The limits are about the entries that every filter names. With a filter, or `stale`, and without a limit, all of
/// them go; without both, the daemon's own limits hold. What is protected never goes.
public struct CollectRequest: Sendable, Hashable, Codable {
  /// The compressed bytes that may stay.
  public var maximumBytes: Int?
  /// The number of entries that may stay.
  public var maximumEntries: Int?
  /// Entries that were not used for this long go.
  public var unusedSeconds: Double?
  /// Entries that are stale for any of these reasons; an empty list means every reason.
  public var stale: [String]?
  /// A part of the hardware's identity.
  public var hardware: String?
  /// An operator of the spec.
  public var `operator`: String?
  /// A part of the compiler's name.
  public var toolchain: String?
  public var namespace: String?
  /// Says what would go and removes nothing.
  public var dryRun: Bool?

  public init(
    maximumBytes: Int? = nil, maximumEntries: Int? = nil, unusedSeconds: Double? = nil,
    stale: [String]? = nil, hardware: String? = nil, operator operatorName: String? = nil,
    toolchain: String? = nil, namespace: String? = nil, dryRun: Bool? = nil
  ) {
    self.maximumBytes = maximumBytes
    self.maximumEntries = maximumEntries
    self.unusedSeconds = unusedSeconds
    self.stale = stale
    self.hardware = hardware
    self.operator = operatorName
    self.toolchain = toolchain
    self.namespace = namespace
    self.dryRun = dryRun
  }

  /// Whether it says which entries it is about.
  package var hasFilter: Bool {
    stale != nil || hardware != nil || `operator` != nil || toolchain != nil || namespace != nil
  }

  package var hasLimit: Bool {
    maximumBytes != nil || maximumEntries != nil || unusedSeconds != nil
  }
}

/// What a collection removed, or would remove.
public struct CollectReport: Sendable, Hashable, Codable {
  public var entriesRemoved: Int
  /// Old revisions of entries that stay.
  public var revisionsRemoved: Int
  public var blobsRemoved: Int
  /// Finished searches, with their candidates.
  public var searchesRemoved: Int
  public var bytesFreed: Int
  public var entriesKept: Int
  /// Those of the entries kept that are pinned, leased, named by a lock file or searched for.
  public var entriesProtected: Int

  public init(
    entriesRemoved: Int, revisionsRemoved: Int, blobsRemoved: Int, searchesRemoved: Int,
    bytesFreed: Int, entriesKept: Int, entriesProtected: Int
  ) {
    self.entriesRemoved = entriesRemoved
    self.revisionsRemoved = revisionsRemoved
    self.blobsRemoved = blobsRemoved
    self.searchesRemoved = searchesRemoved
    self.bytesFreed = bytesFreed
    self.entriesKept = entriesKept
    self.entriesProtected = entriesProtected
  }
}
