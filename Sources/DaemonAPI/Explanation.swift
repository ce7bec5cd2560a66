/// Why a kernel is served for a key, or why there is none.
public struct Explanation: Sendable, Hashable, Codable {
  public var key: String
  public var name: String
  /// Every named part of the key.
  public var parts: [Part]
  /// Whether the cache has an entry.
  public var present: Bool
  /// Sentences for people: what is served and what decided it.
  public var reasons: [String]
  /// The stored entry whose key is closest, when this one is missing.
  public var nearest: Neighbour?
  public var detail: KernelDetail?
  /// The request that was asked about.
  public var request: PastRequest?
  /// Pages about what bounds the kernel, where it was measured.
  public var advice: [Advice]?

  public init(
    key: String, name: String, parts: [Part], present: Bool, reasons: [String],
    nearest: Neighbour?, detail: KernelDetail?, request: PastRequest? = nil,
    advice: [Advice]? = nil
  ) {
    self.key = key
    self.name = name
    self.parts = parts
    self.present = present
    self.reasons = reasons
    self.nearest = nearest
    self.detail = detail
    self.request = request
    self.advice = advice
  }

  /// A page of advice.
  public struct Advice: Sendable, Hashable, Codable {
    public var title: String
    public var text: String

    public init(title: String, text: String) {
      self.title = title
      self.text = text
    }
  }

  /// How a request was met.
  public struct PastRequest: Sendable, Hashable, Codable {
    /// As in the answer.
    public var request: String
    /// Seconds since 1970.
    public var time: Double
    /// `hit`, `baseline`, `miss` or `failed`.
    public var outcome: String
    /// Why, as it was known then.
    public var reason: String
    public var latencyMicroseconds: Double

    public init(
      request: String, time: Double, outcome: String, reason: String, latencyMicroseconds: Double
    ) {
      self.request = request
      self.time = time
      self.outcome = outcome
      self.reason = reason
      self.latencyMicroseconds = latencyMicroseconds
    }
  }

  /// A named part of a key.
  public struct Part: Sendable, Hashable, Codable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Another entry, and how its key differs.
  public struct Neighbour: Sendable, Hashable, Codable {
    public var key: String
    public var name: String
    public var differences: [Difference]

    public init(key: String, name: String, differences: [Difference]) {
      self.key = key
      self.name = name
      self.differences = differences
    }
  }

  /// A part in which two keys differ.
  public struct Difference: Sendable, Hashable, Codable {
    public var part: String
    public var here: String
    public var there: String

    public init(part: String, here: String, there: String) {
      self.part = part
      self.here = here
      self.there = there
    }
  }
}
