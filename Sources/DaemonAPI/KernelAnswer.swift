public import KernelSpec

/// What the daemon has for one spec.
public struct KernelAnswer: Sendable, Hashable, Codable {
  /// The kernel key; absent when the spec is bad.
  public var key: String?
  /// The spec's name, for people.
  public var name: String?
  public var status: Status
  public var verdict: Verdict?
  /// Grows with every kernel that replaces another for this key.
  public var revision: Int?
  /// The address of the artifact; absent for a miss and for `prefer-vendor`.
  public var artifact: String?
  /// The names of the kernel's inputs, in the order in which it takes them, as this request's spec names them.
  public var inputs: [String]?
  /// How to load and call the artifact.
  public var manifest: Artifact.Manifest?
  /// From the complete request to the answer, in the daemon.
  public var latencyMicroseconds: Double
  /// The median time of one call, where it was measured.
  public var kernelMicroseconds: Double?
  /// The median time of one call of the baseline, measured beside it.
  public var baselineMicroseconds: Double?
  public var speedup: Double?
  /// The share of the hardware's measured ceiling.
  public var rooflineFraction: Double?
  /// The state of the search for a better kernel.
  public var search: SearchState?
  /// The name under which the daemon noted the request, for `granary explain`. An answer that is repeated from
  /// memory keeps that of the request for which it was decided.
  public var request: String?
  /// Why there is no kernel.
  public var error: ServiceError?

  public init(
    key: String? = nil, name: String? = nil, status: Status, verdict: Verdict? = nil,
    revision: Int? = nil, artifact: String? = nil, inputs: [String]? = nil,
    manifest: Artifact.Manifest? = nil,
    latencyMicroseconds: Double = 0, kernelMicroseconds: Double? = nil,
    baselineMicroseconds: Double? = nil, speedup: Double? = nil, rooflineFraction: Double? = nil,
    search: SearchState? = nil, request: String? = nil, error: ServiceError? = nil
  ) {
    self.key = key
    self.name = name
    self.status = status
    self.verdict = verdict
    self.revision = revision
    self.artifact = artifact
    self.inputs = inputs
    self.manifest = manifest
    self.latencyMicroseconds = latencyMicroseconds
    self.kernelMicroseconds = kernelMicroseconds
    self.baselineMicroseconds = baselineMicroseconds
    self.speedup = speedup
    self.rooflineFraction = rooflineFraction
    self.search = search
    self.request = request
    self.error = error
  }

  /// An answer that says why there is none.
  public init(failure error: ServiceError, key: String? = nil, name: String? = nil) {
    self.init(key: key, name: name, status: .failed, error: error)
  }

  /// How the request was met.
  public enum Status: String, Sendable, Hashable, Codable {
    /// The cache had it.
    case hit
    /// A baseline was made for this request.
    case baseline
    /// There is nothing, and the policy did not ask to make it.
    case miss
    /// There is nothing, for the reason in `error`.
    case failed
    /// A status of a newer daemon.
    case unknown

    public init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      self = Self(rawValue: text) ?? .unknown
    }
  }

  /// Whether a search for the key is under way.
  public enum SearchState: String, Sendable, Hashable, Codable {
    case none, queued, running, finished, unknown

    public init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      self = Self(rawValue: text) ?? .unknown
    }
  }
}
