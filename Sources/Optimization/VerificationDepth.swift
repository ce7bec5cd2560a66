import Evaluation
import KernelSpec

/// How many kinds of input a kernel is verified on.
package enum VerificationDepth: Sendable {
  /// For each candidate of a search: what most faults show on.
  case screening
  /// Before every serving: the complete set.
  case publication

  /// Fewer for large specs, whose many elements see more values each.
  func distributions(for work: Work) -> [InputDistribution] {
    switch (self, work.isLarge) {
    case (.screening, true): [.normal, .special]
    case (.screening, false): [.normal, .integers, .special]
    case (.publication, true): [.large, .normal, .integers, .special]
    case (.publication, false): InputDistribution.standard
    }
  }
}

extension Work {
  /// Whether computing expected values takes longer than compiling.
  var isLarge: Bool { floatingPointOperations > 5e7 || bytes > 8e6 }
}
