package import KernelSpec

/// Turns the text of a kernel into an artifact.
package protocol KernelCompiler: Sendable {
  /// The compiler's version and the digest of its program: part of what evidence is bound to.
  var identity: String { get }
  /// A source that does not compile, takes too long or grows too large is `.failed`, never an
  /// error.
  func compile(_ source: KernelSource) async -> CompileOutcome
}

package enum CompileOutcome: Sendable, Hashable {
  case artifact(Artifact)
  case failed(log: String)
}
