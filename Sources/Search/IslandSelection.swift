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
    // Measured on the tests' landscapes: most children from the best, the others spread over the cells.
    return random.chance(0.7) ? best : random.choice(elites)
  }

  /// The best of each cell, fittest first, among the island's own candidates and its immigrants.
  private func archive(of island: Int, in graph: SearchGraph) -> [Int] {
    let immigrant = immigrant(to: island, in: graph)
    var cells: Set<[String]> = []
    return graph.ranked.filter { id in
      guard graph.candidates[id].island == island || id == immigrant else { return false }
      return cells.insert(graph.cells[id]).inserted
    }
  }

  /// The best of the island before this one, as of the last migration.
  private func immigrant(to island: Int, in graph: SearchGraph) -> Int? {
    let lastMigration = graph.candidates.count / migrationInterval * migrationInterval
    let neighbour = (island + count - 1) % count
    return graph.ranked.first { $0 < lastMigration && graph.candidates[$0].island == neighbour }
  }
}
