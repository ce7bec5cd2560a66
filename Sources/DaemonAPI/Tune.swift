/// The body of `POST /v1/tune`.
public struct TuneRequest: Sendable, Hashable, Codable {
  /// The spec in its text form or as JSON.
  public var spec: String
  /// The longest time to search; without it, the daemon's setting.
  public var seconds: Double?
  /// The most candidates to evaluate; without it, the daemon's setting.
  public var candidates: Int?

  public init(spec: String, seconds: Double? = nil, candidates: Int? = nil) {
    self.spec = spec
    self.seconds = seconds
    self.candidates = candidates
  }
}

/// One report on a running search, and the last one when it has ended.
public struct TuneEvent: Sendable, Hashable, Codable {
  public var key: String
  /// The spec's name, for people.
  public var name: String?
  /// `queued`, `running` or `finished`.
  public var state: KernelAnswer.SearchState
  public var elapsedSeconds: Double
  public var secondsLeft: Double
  public var candidates: Int
  public var candidatesPerSecond: Double
  /// The best fitness so far: the speedup over the baseline.
  public var bestSpeedup: Double?
  public var bestMicroseconds: Double?
  public var baselineMicroseconds: Double?
  public var rooflineFraction: Double?
  /// Why the search ended, in the last event.
  public var termination: String?
  /// What is served now, in the last event.
  public var answer: KernelAnswer?

  public init(
    key: String, name: String? = nil, state: KernelAnswer.SearchState, elapsedSeconds: Double,
    secondsLeft: Double,
    candidates: Int, candidatesPerSecond: Double, bestSpeedup: Double? = nil,
    bestMicroseconds: Double? = nil, baselineMicroseconds: Double? = nil,
    rooflineFraction: Double? = nil, termination: String? = nil, answer: KernelAnswer? = nil
  ) {
    self.key = key
    self.name = name
    self.state = state
    self.elapsedSeconds = elapsedSeconds
    self.secondsLeft = secondsLeft
    self.candidates = candidates
    self.candidatesPerSecond = candidatesPerSecond
    self.bestSpeedup = bestSpeedup
    self.bestMicroseconds = bestMicroseconds
    self.baselineMicroseconds = baselineMicroseconds
    self.rooflineFraction = rooflineFraction
    self.termination = termination
    self.answer = answer
  }
}
