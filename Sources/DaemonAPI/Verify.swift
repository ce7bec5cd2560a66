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
  /// Whether the database is in order; otherwise the next start of the daemon rebuilds it.
  public var indexSound: Bool
  /// Whether what was damaged has been put in quarantine.
  public var repaired: Bool

  public init(
    sound: Bool, blobsChecked: Int, blobsDamaged: Int, blobsMissing: Int, revisionsChecked: Int,
    revisionsDamaged: Int, indexSound: Bool, repaired: Bool
  ) {
    self.sound = sound
    self.blobsChecked = blobsChecked
    self.blobsDamaged = blobsDamaged
    self.blobsMissing = blobsMissing
    self.revisionsChecked = revisionsChecked
    self.revisionsDamaged = revisionsDamaged
    self.indexSound = indexSound
    self.repaired = repaired
  }
}
