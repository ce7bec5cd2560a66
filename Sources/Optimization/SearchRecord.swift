import CacheStore
import FoundationEssentials
import Hardware
import KernelSpec
import Knowledge
import Search

/// How a search is written into the store and read back.
enum SearchRecord {
  static func encode(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static func checkpoint(of stored: StoredSearch) throws -> SearchCheckpoint {
    try JSONDecoder().decode(SearchCheckpoint.self, from: Data(stored.checkpoint.utf8))
  }

  /// What a finished search taught: the schedules of the fittest candidates for each kernel of its space. More than
  /// one, as the fittest may be so by luck.
  static func results(
    of engine: SearchEngine, hardware: TuningIdentity
  ) -> [PastResult] {
    engine.fittest.prefix(taughtByOne).filter { $0.outcome.fitness > 1 }.flatMap { candidate in
      zip(engine.checkpoint.space.kernels, candidate.schedule.kernels).map { space, schedule in
        PastResult(
          kernel: space.name, schedule: schedule, build: candidate.schedule.build,
          speedup: candidate.outcome.fitness, hardware: hardware)
      }
    }
  }

  /// How many candidates of one search others learn from.
  private static let taughtByOne = 3
}
