import KernelSpec
import Support

/// Populations in a ring, each with an archive of the best candidate of every cell of features.
///
/// Source: Mouret and Clune, "Illuminating search spaces by mapping elites" (arXiv 1504.04909); islands with
/// ring migration as in Tanese, "Distributed genetic algorithms" (ICGA 1989).
struct IslandSelection: SelectionPolicy {
  var count: Int
  var migrationInterval: Int

  func island(forCandidate id: Int) -> Int { id % count }

  func parent(in graph: SearchGraph, island: Int, _ random: inout SeededRandom) -> Int? {
    let elites = archive(of: island, in: graph)
    guard let best = elites.first else { return graph.championID }
    // Measured on the tests' landscapes: half of the children from the best, the others spread over cells.
    return random.chance(0.5) ? best.id : random.choice(elites)?.id
  }

  /// The best of each cell, fittest first, among the island's own candidates and its immigrants.
  func archive(of island: Int, in graph: SearchGraph) -> [CandidateRecord] {
    var population = graph.viable.filter { $0.island == island }
    if let immigrant = immigrant(to: island, in: graph) { population.append(immigrant) }
    var cells: Set<[String]> = []
    return population.sorted(by: CandidateRecord.isBetter).filter {
      cells.insert(graph.space.cell(of: $0.schedule)).inserted
    }
  }

  /// The best of the island before this one, as of the last migration.
  private func immigrant(to island: Int, in graph: SearchGraph) -> CandidateRecord? {
    let lastMigration = graph.candidates.count / migrationInterval * migrationInterval
    let neighbour = (island + count - 1) % count
    return graph.viable.filter { $0.id < lastMigration && $0.island == neighbour }
      .min(by: CandidateRecord.isBetter)
  }
}
