/// The body of `POST /v1/verify`.
public struct VerifyRequest: Sendable, Hashable, Codable {
  /// Puts what is damaged in quarantine, so that it is made anew when it is asked for.
  public var repair: Bool?

  public init(repair: Bool? = nil) { self.repair = repair }
}

/// What a check of everything that is stored found.
public struct VerifyReport: Sendable, Hashable, Codable {
  /// Whether everything is as it was written.
  public var sound: Bool
  public var blobsChecked: Int
  /// Blobs whose bytes do not have their digest.
  public var blobsDamaged: Int
  /// Blobs that are named and that are nowhere.
  public var blobsMissing: Int
  public var revisionsChecked: Int
  /// Revisions that differ from their seal.
  public var revisionsDamaged: Int
  /// Revisions whose record, from which the index can be made again, is damaged or missing.
  public var recordsDamaged: Int
  /// Whether the database is in order; otherwise the next start of the daemon rebuilds it.
  public var indexSound: Bool
  /// Whether a repair was asked for and has left nothing damaged.
  public var repaired: Bool
  /// What was ever taken out of the way and is still kept for people to look at, newest first.
  public var quarantined: [Quarantined]

  public init(
    sound: Bool, blobsChecked: Int, blobsDamaged: Int, blobsMissing: Int, revisionsChecked: Int,
    revisionsDamaged: Int, recordsDamaged: Int, indexSound: Bool, repaired: Bool,
    quarantined: [Quarantined] = []
  ) {
    self.recordsDamaged = recordsDamaged
    self.quarantined = quarantined
    self.sound = sound
    self.blobsChecked = blobsChecked
    self.blobsDamaged = blobsDamaged
    self.blobsMissing = blobsMissing
    self.revisionsChecked = revisionsChecked
    self.revisionsDamaged = revisionsDamaged
    self.indexSound = indexSound
    self.repaired = repaired
  }

  /// Something that is damaged and was put aside.
  public struct Quarantined: Sendable, Hashable, Codable {
    /// Its name in the folder `quarantine` of the store.
    public var name: String
    public var reason: String
    /// Seconds since 1970.
    public var time: Double

    public init(name: String, reason: String, time: Double) {
      self.name = name
      self.reason = reason
      self.time = time
    }
  }
}
