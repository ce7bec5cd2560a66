import Glibc
package import KernelSpec
import RunnerProtocol

/// Runs shared objects in `granary-runner` processes.
package struct NativeRunner: KernelRunner {
  /// The absolute path of `granary-runner`.
  package let executable: String
  private let confinement: Confinement

  package init(executable: String, confinement: Confinement) {
    self.executable = executable
    self.confinement = confinement
  }

  /// Finds `granary-runner`: the path in the environment variable `GRANARY_RUNNER`, else beside
  /// this program, else in `../libexec/granary`.
  ///
  /// - Throws: `.runnerMissing`.
  package init(environment: [String: String], confinement: Confinement) throws(EvaluationError) {
    if let path = environment["GRANARY_RUNNER"], !path.isEmpty {
      guard access(path, X_OK) == 0 else {
        throw EvaluationError(
          .runnerMissing, "GRANARY_RUNNER names \(path), which is not a program")
      }
      self.init(executable: path, confinement: confinement)
      return
    }
    let folder = Self.ownFolder
    let places = ["\(folder)/granary-runner", "\(folder)/../libexec/granary/granary-runner"]
    guard let path = places.first(where: { access($0, X_OK) == 0 }) else {
      throw EvaluationError(
        .runnerMissing, "granary-runner is not in \(folder); set GRANARY_RUNNER to its path")
    }
    self.init(executable: path, confinement: confinement)
  }

  private static var ownFolder: String {
    guard let resolved = realpath("/proc/self/exe", nil) else { return "." }
    defer { free(resolved) }
    let path = String(cString: resolved)
    return String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }

  package func open(_ artifact: Artifact, threads: Int, limits: RunnerLimits) async throws
    -> any KernelSession
  {
    let interface = artifact.manifest.interface
    guard artifact.manifest.language == .c else {
      throw KernelLoadError(reason: "not a shared object: \(artifact.manifest.language.rawValue)")
    }
    var setup = RunnerSetup(
      kind: .sharedObject, threads: threads, entryPoint: interface.entryPoint,
      inputBytes: interface.inputs.map(\.storageBytes),
      outputBytes: interface.outputs.map(\.storageBytes),
      workspaceBytes: interface.workspaceBytes, alignmentBytes: interface.alignmentBytes,
      launches: [], buildOptions: "")
    setup.usesLargePages = limits.usesLargePages
    let session = try RunnerSession(setup: setup, limits: limits, confinement: confinement)
    try await session.start(executable: executable, artifact: artifact.bytes)
    return session
  }
}
