/// The entries that are not what would be made today, and why.
public struct StaleReport: Sendable, Hashable, Codable {
  /// Every reason there is, with the number of entries that have it.
  public var reasons: [Reason]
  /// The number of all entries.
  public var entries: Int
  /// Those that are stale, last used first.
  public var stale: [Entry]

  public init(reasons: [Reason], entries: Int, stale: [Entry]) {
    self.reasons = reasons
    self.entries = entries
    self.stale = stale
  }

  /// A reason and how often it holds.
  public struct Reason: Sendable, Hashable, Codable {
    public var reason: String
    public var meaning: String
    public var count: Int

    public init(reason: String, meaning: String, count: Int) {
      self.reason = reason
      self.meaning = meaning
      self.count = count
    }
  }

  /// A stale entry.
  public struct Entry: Sendable, Hashable, Codable {
    public var key: String
    public var name: String
    public var revision: Int
    /// Seconds since 1970.
    public var lastUsed: Double
    public var reasons: [String]

    public init(key: String, name: String, revision: Int, lastUsed: Double, reasons: [String]) {
      self.key = key
      self.name = name
      self.revision = revision
      self.lastUsed = lastUsed
      self.reasons = reasons
    }
  }
}

/// What became of a kernel whose evidence was repeated.
public struct EvidenceReport: Sendable, Hashable, Codable {
  public var key: String
  public var name: String
  public var revision: Int?
  public var verdict: Verdict
  /// Why it failed, or cannot be run here.
  public var reason: String?
  public var elementsCompared: Int

  public init(
    key: String, name: String, revision: Int?, verdict: Verdict, reason: String?,
    elementsCompared: Int
  ) {
    self.key = key
    self.name = name
    self.revision = revision
    self.verdict = verdict
    self.reason = reason
    self.elementsCompared = elementsCompared
  }

  /// How it ended.
  public enum Verdict: String, Sendable, Hashable, Codable {
    case passed
    /// It was withdrawn: it is never served again.
    case failed
    /// This machine cannot run it.
    case notHere = "not-here"
    case unknown

    public init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      self = Self(rawValue: text) ?? .unknown
    }
  }
}
