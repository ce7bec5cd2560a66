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

  /// What a finished search taught: the champion's schedule for each kernel of its space.
  static func results(
    of engine: SearchEngine, hardware: TuningIdentity
  ) -> [PastResult] {
    guard let champion = engine.champion, champion.fitness > 1 else { return [] }
    return zip(engine.checkpoint.space.kernels, champion.schedule.kernels).map { space, schedule in
      PastResult(
        kernel: space.name, schedule: schedule, build: champion.schedule.build,
        speedup: champion.fitness, hardware: hardware)
    }
  }
}

extension CandidateRecord {
  fileprivate var fitness: Double { outcome.fitness }
}
