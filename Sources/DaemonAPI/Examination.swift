/// The body of `POST /v1/examine`.
public struct ExamineRequest: Sendable, Hashable, Codable {
  /// A spec in its text or JSON form.
  public var spec: String

  public init(spec: String) { self.spec = spec }
}

/// Which wrong answers verification tells from right ones for a spec.
public struct ExamineReport: Sendable, Hashable, Codable {
  /// The spec's name.
  public var name: String
  /// Whether every wrong answer is seen, for every output.
  public var hasSignal: Bool
  public var findings: [Finding]

  /// What became of one wrong answer for one output.
  public struct Finding: Sendable, Hashable, Codable {
    /// `zeros`, `constant`, `stale` (the answer to other inputs) or `narrow` (to inputs with half of their digits).
    public var answer: String
    /// The position of the output.
    public var output: Int
    /// The kinds of input that show it to be wrong; none when it passes for right.
    public var seenOn: [String]

    public init(answer: String, output: Int, seenOn: [String]) {
      self.answer = answer
      self.output = output
      self.seenOn = seenOn
    }
  }

  public init(name: String, hasSignal: Bool, findings: [Finding]) {
    self.name = name
    self.hasSignal = hasSignal
    self.findings = findings
  }
}
