/// A record of a tier as it was seen, so that it can be replaced only if nobody else has meanwhile.
package struct SeenRecord: Sendable, Hashable {
  /// `nil` when there was none.
  package var bytes: [UInt8]?
  /// What the tier calls this state; `nil` when there was none, or when the tier has no names for states.
  package var version: String?
}

/// A tier that replaces a record only when it is still as it was seen.
package protocol ConditionalTier: RemoteTier {
  func see(_ address: RemoteAddress) async throws -> SeenRecord
  /// - Returns: whether it was still so. A tier that knows no conditions replaces it and says that it was.
  func replace(_ seen: SeenRecord, with bytes: [UInt8], at address: RemoteAddress) async throws
    -> Bool
}
