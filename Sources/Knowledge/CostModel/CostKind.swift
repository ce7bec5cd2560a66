package import Hardware
import KernelSpec

/// Programs and hardware whose samples teach about one another.
package struct CostKind: Sendable, Hashable {
  /// Named, for people and for comparison.
  package let text: String

  /// - Parameter structure: what the programs have in common, such as the sketches that fit them.
  package init(structure: String, hardware: TuningIdentity) {
    text = "structure=\(structure);\(hardware.canonicalText)"
  }

  /// What names its file.
  var fileName: String { String(Digest(of: text.utf8).hex.prefix(24)) }
}
