public import KernelSpec

/// One line of the list of entries.
public struct EntrySummary: Sendable, Hashable, Codable {
  public var key: String
  public var name: String
  public var hardware: String
  public var verdict: Verdict
  public var revision: Int
  /// The size of the artifact, before compression.
  public var bytes: Int
  /// Seconds since 1970.
  public var created: Double
  /// Seconds since 1970.
  public var lastUsed: Double
  public var pinned: Bool
  public var uses: Int
  public var speedup: Double?
  /// Whose entry it is; absent when it is everybody's.
  public var namespace: String?
  /// What keeps it from being collected: `pin`, `lease`, `lock-file`, `search`.
  public var protection: [String]?

  public init(
    key: String, name: String, hardware: String, verdict: Verdict, revision: Int, bytes: Int,
    created: Double, lastUsed: Double, pinned: Bool, uses: Int, speedup: Double?,
    namespace: String? = nil, protection: [String]? = nil
  ) {
    self.namespace = namespace
    self.protection = protection
    self.key = key
    self.name = name
    self.hardware = hardware
    self.verdict = verdict
    self.revision = revision
    self.bytes = bytes
    self.created = created
    self.lastUsed = lastUsed
    self.pinned = pinned
    self.uses = uses
    self.speedup = speedup
  }
}

/// All that is known about one key.
public struct KernelDetail: Sendable, Hashable, Codable {
  public var entry: EntrySummary
  /// The canonical spec, as JSON text.
  public var spec: String
  public var artifact: String?
  public var manifest: Artifact.Manifest?
  public var evidence: Evidence?
  /// The candidates that led to the champion, oldest first.
  public var lineage: [Ancestor]
  /// Why the last search ended; absent while none has.
  public var termination: String?
  public var candidates: Int

  public init(
    entry: EntrySummary, spec: String, artifact: String?, manifest: Artifact.Manifest?,
    evidence: Evidence?, lineage: [Ancestor], termination: String?, candidates: Int
  ) {
    self.entry = entry
    self.spec = spec
    self.artifact = artifact
    self.manifest = manifest
    self.evidence = evidence
    self.lineage = lineage
    self.termination = termination
    self.candidates = candidates
  }

  /// A candidate on the way to the champion.
  public struct Ancestor: Sendable, Hashable, Codable {
    public var id: Int
    public var parents: [Int]
    /// The proposer that made it.
    public var proposer: String
    /// `t_reference / t_candidate`; 0 for one that failed.
    public var fitness: Double
    /// What it does, or how it failed.
    public var summary: String

    public init(id: Int, parents: [Int], proposer: String, fitness: Double, summary: String) {
      self.id = id
      self.parents = parents
      self.proposer = proposer
      self.fitness = fitness
      self.summary = summary
    }
  }
}

/// What became of a request that changes an entry.
public struct ChangeReport: Sendable, Hashable, Codable {
  public var key: String
  /// Whether anything changed.
  public var changed: Bool

  public init(key: String, changed: Bool) {
    self.key = key
    self.changed = changed
  }
}
