import Evaluation
import KernelSpec

/// The kernel that candidates are measured against, loaded once and kept for as long as it lives.
actor Incumbent {
  let artifact: Artifact
  private let verifier: Verifier
  private var kernel: LoadedKernel?

  init(_ artifact: Artifact, verifier: Verifier) {
    self.artifact = artifact
    self.verifier = verifier
  }

  /// The loaded kernel; a process that has ended, or reached a limit, is replaced.
  ///
  /// - Throws: `EvaluationError` when it cannot be loaded, which it could before.
  func loaded() async throws -> LoadedKernel {
    if let kernel, await kernel.session.isAlive { return kernel }
    switch try await verifier.load(artifact) {
    case .success(let kernel):
      self.kernel = kernel
      return kernel
    case .failure(let failure):
      throw EvaluationError(.referenceFailed, "the incumbent: \(failure.reason)")
    }
  }

  func close() async {
    await kernel?.session.close()
    kernel = nil
  }
}
