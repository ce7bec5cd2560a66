public import KernelSpec

/// One revision of an entry, without its bytes.
public struct RevisionSummary: Sendable, Hashable, Codable {
  public var number: Int
  /// Whether it is what is served now.
  public var served: Bool
  public var verdict: Verdict
  public var artifact: String
  public var toolchain: String
  /// Seconds since 1970.
  public var created: Double
  public var searchSeconds: Double
  public var kernelMicroseconds: Double?
  public var speedup: Double?
  /// Why it is never served again.
  public var withdrawn: String?
  /// Where it came from; absent when it was made here.
  public var origin: String?
  /// Whether it must pass its verification here before it is served.
  public var onTrial: Bool
  /// When its evidence was last repeated, in seconds since 1970.
  public var verified: Double?
  public var provenance: Evidence.Provenance?
  /// The text that it was compiled from; only when one entry is asked for with its sources.
  public var source: String?

  public init(
    number: Int, served: Bool, verdict: Verdict, artifact: String, toolchain: String,
    created: Double, searchSeconds: Double, kernelMicroseconds: Double?, speedup: Double?,
    withdrawn: String?, origin: String?, onTrial: Bool, verified: Double?,
    provenance: Evidence.Provenance?, source: String? = nil
  ) {
    self.number = number
    self.served = served
    self.verdict = verdict
    self.artifact = artifact
    self.toolchain = toolchain
    self.created = created
    self.searchSeconds = searchSeconds
    self.kernelMicroseconds = kernelMicroseconds
    self.speedup = speedup
    self.withdrawn = withdrawn
    self.origin = origin
    self.onTrial = onTrial
    self.verified = verified
    self.provenance = provenance
    self.source = source
  }
}

/// The body of `POST /v1/entries/{key}/rollback`.
public struct RollbackRequest: Sendable, Hashable, Codable {
  /// The revision that is to be served again; without it, the one before what is served.
  public var revision: Int?

  public init(revision: Int? = nil) { self.revision = revision }
}

/// What became of a rollback.
public struct RollbackReport: Sendable, Hashable, Codable {
  public var key: String
  /// The revision that was published again.
  public var restored: Int
  /// The number under which it is served now.
  public var revision: Int

  public init(key: String, restored: Int, revision: Int) {
    self.key = key
    self.restored = restored
    self.revision = revision
  }
}

/// What became of a wish to search again.
public struct RefreshReport: Sendable, Hashable, Codable {
  public var key: String
  public var name: String
  public var search: KernelAnswer.SearchState

  public init(key: String, name: String, search: KernelAnswer.SearchState) {
    self.key = key
    self.name = name
    self.search = search
  }
}

/// The body of `POST /v1/entries/{key}/lease`: keeps an entry from being collected for some time.
public struct LeaseRequest: Sendable, Hashable, Codable {
  /// Who wants it, for people and to give it back.
  public var holder: String
  /// How long; 0 gives every lease of the holder back.
  public var seconds: Double

  public init(holder: String, seconds: Double) {
    self.holder = holder
    self.seconds = seconds
  }
}

/// The body of `POST /v1/lock-files`: keeps what a lock file names, as long as the file is there.
public struct LockFileRequest: Sendable, Hashable, Codable {
  /// The absolute path of the file, as the daemon sees it.
  public var path: String

  public init(path: String) { self.path = path }
}

/// A lock file that protects entries.
public struct LockFileReport: Sendable, Hashable, Codable {
  public var path: String
  public var kernels: Int

  public init(path: String, kernels: Int) {
    self.path = path
    self.kernels = kernels
  }
}
