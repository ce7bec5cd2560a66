import Glibc
import KernelSpec
import Support

/// Upper confidence bounds applied to the tree of first parents.
///
/// From the root, each step either stops at the node, to expand it, or goes on into a child: whichever has
/// the highest value plus bonus for rare visits. A subtree's value is its best fitness over that of the
/// champion: what counts in a search for one kernel is the best, not the mean.
///
/// Source: Kocsis and Szepesvári, "Bandit based Monte-Carlo planning" (ECML 2006).
struct TreeSelection: SelectionPolicy {
  var exploration: Double

  func parent(in graph: SearchGraph, island: Int, _ random: inout SeededRandom) -> Int? {
    guard let best = graph.champion?.outcome.usableFitness, best > 0 else { return nil }
    let tree = Tree(graph)
    var node: Int?
    while true {
      let offspring = tree.children[node ?? Tree.root] ?? []
      let total = Double(node.map { tree.visits[$0] } ?? graph.candidates.count)
      func score(_ value: Double, visits: Int) -> Double {
        value / best + exploration * (log(total + 1) / Double(max(1, visits))).squareRoot()
      }
      var choice: Int?
      var choiceScore = -Double.infinity
      if let node, graph.fitness[node] > 0 {
        let own = graph.children[node, default: 0] + 1
        choiceScore = score(graph.fitness[node], visits: own)
      }
      for child in offspring where tree.value[child] > 0 {
        let childScore = score(tree.value[child], visits: tree.visits[child])
        if childScore > choiceScore { (choice, choiceScore) = (child, childScore) }
      }
      guard let choice else { return node }
      node = choice
    }
  }

  /// Visits and best values of every subtree.
  private struct Tree {
    static let root = -1
    var children: [Int: [Int]] = [:]
    var visits: [Int]
    var value: [Double]

    init(_ graph: SearchGraph) {
      visits = graph.candidates.map { _ in 1 }
      value = graph.fitness
      for proposal in graph.pending {
        if let parent = proposal.parents.first { visits[parent] += 1 }
      }
      // Parents come before their children: going backwards, a subtree is complete when it is added.
      for candidate in graph.candidates.reversed() {
        children[candidate.parents.first ?? Self.root, default: []].append(candidate.id)
        guard let parent = candidate.parents.first else { continue }
        visits[parent] += visits[candidate.id]
        value[parent] = max(value[parent], value[candidate.id])
      }
    }
  }
}
