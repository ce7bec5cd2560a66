package import KernelSpec
package import Support

/// All of a search that does not follow from its candidates.
///
/// Stored with every candidate, in one transaction with it, it lets the search go on along the same path.
package struct SearchCheckpoint: Sendable, Hashable, Codable {
  package var configuration: SearchConfiguration
  package var space: ScheduleSpace
  /// Retrieved schedules that were not proposed yet, most promising first.
  package var transplants: [Schedule]
  /// Schedules from outside that were not proposed yet, oldest first.
  package var offers: [Schedule]
  package var random: SeededRandom
  /// The batch that is being evaluated, in the order of ids.
  package var proposals: [Proposal]
  /// Outcomes that wait for those of smaller ids.
  package var outcomes: [Int: CandidateOutcome]
  /// Time spent searching so far.
  package var spentSeconds: Double
  package var termination: TerminationReason?
}
