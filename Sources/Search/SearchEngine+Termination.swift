import KernelSpec

extension SearchEngine {
  /// The limit that the search has reached; `nil` when it may go on.
  func limitReached() -> TerminationReason? {
    let limits = checkpoint.configuration.limits
    let best = champion?.outcome.usableFitness ?? 0
    if let target = limits.targetSpeedup, best >= target { return .target }
    if let baseline = limits.baselineRooflineFraction, best > 0,
      baseline * best >= limits.rooflineFraction
    {
      return .roofline
    }
    if checkpoint.spentSeconds >= limits.seconds { return .seconds }
    if candidatesLeft <= 0 { return .candidates }
    if graph.legalCount - graph.legalCountAtImprovement >= limits.stall { return .stall }
    return nil
  }

  /// How many more candidates the limit allows.
  var candidatesLeft: Int {
    let refused = candidates.count - graph.legalCount
    return checkpoint.configuration.limits.candidates - graph.legalCount - refused / 16
  }
}
