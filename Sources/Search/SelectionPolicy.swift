import Support

/// Chooses parents. A policy keeps no state of its own: what it needs follows from the graph, so every
/// policy runs over one graph and resumes from it.
protocol SelectionPolicy: Sendable {
  /// The island that the next candidate belongs to.
  func island(forCandidate id: Int) -> Int
  /// A working candidate to make the next one from; `nil` while none works.
  func parent(in graph: SearchGraph, island: Int, _ random: inout SeededRandom) -> Int?
}

extension SelectionPolicy {
  func island(forCandidate id: Int) -> Int { 0 }
}

extension SearchPolicy {
  var selection: any SelectionPolicy {
    switch self {
    case .greedy: GreedySelection()
    case .beam(let width): BeamSelection(width: max(1, width))
    case .uct(let exploration): TreeSelection(exploration: exploration)
    case .islands(let count, let interval):
      IslandSelection(count: max(1, count), migrationInterval: max(1, interval))
    }
  }
}

/// Always the best.
struct GreedySelection: SelectionPolicy {
  func parent(in graph: SearchGraph, island: Int, _ random: inout SeededRandom) -> Int? {
    graph.championID
  }
}

/// Of the best `width`, the one with the fewest children: each is expanded in turn.
struct BeamSelection: SelectionPolicy {
  var width: Int

  func parent(in graph: SearchGraph, island: Int, _ random: inout SeededRandom) -> Int? {
    graph.ranked.prefix(width).min {
      graph.children[$0, default: 0] < graph.children[$1, default: 0]
    }
  }
}
