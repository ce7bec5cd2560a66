import Evaluation
import KernelSpec

/// How many kinds of input a kernel is verified on.
package enum VerificationDepth: Sendable {
  /// For each candidate of a search: what most faults show on.
  case screening
  /// Before every serving: the complete set.
  case publication

  /// Fewer for large specs, whose many elements see more values each.
  ///
  /// None of large magnitude for these: among millions of sums of products of thousands, some cancel to about
  /// one, where rounding alone decides what a `tanh` or a `clamp` after them gives.
  func distributions(for work: Work) -> [InputDistribution] {
    switch (self, work.isLarge) {
    case (.screening, true): [.normal, .special]
    case (.screening, false): [.normal, .integers, .special]
    case (.publication, true): [.uniform, .normal, .integers, .special]
    case (.publication, false): InputDistribution.allCases
    }
  }
}

extension Work {
  /// Whether computing expected values takes longer than compiling.
  var isLarge: Bool { floatingPointOperations > 5e7 || bytes > 8e6 }
}
