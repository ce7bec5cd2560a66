package import KernelSpec

/// Turns the text of a kernel into an artifact.
package protocol KernelCompiler: Sendable {
  /// The compiler's version and the digest of its program: part of what evidence is bound to.
  var identity: String { get }
  /// A source that does not compile, takes too long or grows too large is `.failed`, never an
  /// error.
  func compile(_ source: KernelSource, for purpose: CompilationPurpose) async -> CompileOutcome
}

extension KernelCompiler {
  /// Compiles what is to be judged.
  package func compile(_ source: KernelSource) async -> CompileOutcome {
    await compile(source, for: .candidate)
  }
}

/// What an artifact is made for.
package enum CompilationPurpose: Sendable, Hashable {
  /// To be judged, and perhaps served. It needs nothing but itself.
  case candidate
  /// To judge others; it may use the mathematical library (`-lm`).
  case reference
}

package enum CompileOutcome: Sendable, Hashable {
  case artifact(Artifact)
  case failed(log: String)
}
