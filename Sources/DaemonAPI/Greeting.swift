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
  /// The policy of requests that do not say; an older daemon does not tell.
  public var defaultPolicy: Policy?
  /// How long a request with the policy `tuned` waits when it does not say; an older daemon does not tell.
  public var tunedDeadlineSeconds: Double?

  public init(
    protocolVersion: Int = Greeting.currentProtocol,
    capabilities: [String] = Greeting.currentCapabilities, version: String,
    processIdentifier: Int, startedAt: Double, defaultPolicy: Policy? = nil,
    tunedDeadlineSeconds: Double? = nil
  ) {
    self.protocolVersion = protocolVersion
    self.capabilities = capabilities
    self.version = version
    self.processIdentifier = processIdentifier
    self.startedAt = startedAt
    self.defaultPolicy = defaultPolicy
    self.tunedDeadlineSeconds = tunedDeadlineSeconds
  }

  /// How long the daemon may take on purpose before it answers a request that does not say a deadline; `nil` when
  /// the request waits for no search.
  package func secondsOfWaiting(policy: Policy?) -> Double? {
    (policy ?? defaultPolicy) == .tuned ? tunedDeadlineSeconds : nil
  }
}

/// The version of this build.
public let granaryVersion = "0.1.0"
