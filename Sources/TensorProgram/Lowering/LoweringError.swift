/// Why a checked spec has no tensor program.
package struct LoweringError: Error, Sendable, Hashable {
  /// The operator at fault, for example `aten.sort.default`.
  package var op: String
  /// The position of its node in the spec.
  package var node: Int
  /// What was expected.
  package var reason: String

  package init(op: String, node: Int, reason: String) {
    self.op = op
    self.node = node
    self.reason = reason
  }
}

extension LoweringError: CustomStringConvertible {
  package var description: String { "cannot lower \(op) (node \(node)): \(reason)" }
}
