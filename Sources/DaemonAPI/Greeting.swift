/// What a daemon says about itself first.
public struct Greeting: Sendable, Hashable, Codable {
  /// The version of the wire protocol that this build speaks.
  public static let currentProtocol = 1
  /// What this build's daemon can do beyond the first version of the protocol.
  public static let currentCapabilities = [
    "artifacts-batch", "explain", "metrics", "policies", "tune-events",
  ]

  /// Grows when something changes that an older client would misread.
  public var protocolVersion: Int
  /// Names of abilities; a client ignores those that it does not know.
  public var capabilities: [String]
  /// The version of the daemon.
  public var version: String
  public var processIdentifier: Int
  /// Seconds since 1970.
  public var startedAt: Double

  public init(
    protocolVersion: Int = Greeting.currentProtocol,
    capabilities: [String] = Greeting.currentCapabilities, version: String,
    processIdentifier: Int, startedAt: Double
  ) {
    self.protocolVersion = protocolVersion
    self.capabilities = capabilities
    self.version = version
    self.processIdentifier = processIdentifier
    self.startedAt = startedAt
  }
}

/// The version of this build.
public let granaryVersion = "0.1.0"
