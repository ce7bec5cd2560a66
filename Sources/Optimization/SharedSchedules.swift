import FoundationEssentials
package import KernelSpec
import RemoteTiers

/// The fastest schedules that machines of one kind found, shared through tiers.
///
/// What arrives is a proposal, not a kernel: it is moved into the space of schedules of this machine, rendered,
/// compiled, verified and timed here like every other candidate. So a tier that is wrong or hostile costs time only.
package struct SharedSchedules: Sendable {
  private let tiers: TierChain

  init(tiers: TierChain) { self.tiers = tiers }

  /// Shares through a directory; `nil` when the path is empty.
  package init?(directory: String, isOffline: Bool = false) {
    if directory.isEmpty { return nil }
    self.init(
      tiers: TierChain([SharedDirectoryTier(root: directory)], isOffline: isOffline))
  }

  private struct Record: Codable {
    /// The version of the format.
    var granarySchedule = 1
    var schedule: Schedule
  }

  /// The schedule that is shared for a key; `nil` when there is none that can be read.
  package func schedule(for key: Digest) async -> Schedule? {
    guard let bytes = await tiers.get(.record(key: key)),
      let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)),
      record.granarySchedule == 1
    else { return nil }
    return record.schedule
  }

  /// Gives a schedule to every tier that answers.
  package func share(_ schedule: Schedule, for key: Digest) async throws {
    let record = try JSONEncoder().encode(Record(schedule: schedule))
    try await tiers.put([UInt8](record), at: .record(key: key))
  }
}
