package import KernelSpec
import RunnerProtocol

/// Makes artifacts of OpenCL text, which the device's driver compiles when a session opens.
package struct OpenCLCompiler: KernelCompiler {
  package let identity = "opencl-c"

  package init() {}

  package func compile(
    _ source: KernelSource, for purpose: CompilationPurpose
  ) async -> CompileOutcome {
    guard source.language == .openCL else {
      return .failed(log: "an OpenCL driver cannot compile \(source.language.rawValue)")
    }
    let allowed = ["-cl-", "-D", "-w"]
    for option in source.compilerOptions
    where !allowed.contains(where: option.hasPrefix) || option.contains(" ") {
      return .failed(log: "the compiler option \(option) is not allowed")
    }
    let bytes = Array(source.text.utf8)
    return .artifact(
      Artifact(
        manifest: Artifact.Manifest(
          language: .openCL, interface: source.interface,
          toolchain: ([identity] + source.compilerOptions).joined(separator: " "),
          requiredFeatures: [], architecture: "opencl", digest: Digest(of: bytes)),
        bytes: bytes))
  }
}

/// Runs OpenCL kernels in `granary-runner` processes, on the first device of the first platform.
///
/// The sandbox is looser than for shared objects, since a driver compiles and starts threads: the
/// session's report says so.
package struct OpenCLRunner: KernelRunner {
  /// What a driver with a compiler in it maps beyond the kernel's own memory.
  private static let driverBytes = 16 << 30

  private let executable: String
  private let confinement: Confinement

  /// - Parameter executable: the absolute path of `granary-runner`, as `NativeRunner` finds it.
  package init(executable: String, confinement: Confinement) {
    self.executable = executable
    self.confinement = confinement
  }

  package func open(_ artifact: Artifact, threads: Int, limits: RunnerLimits) async throws
    -> any KernelSession
  {
    let manifest = artifact.manifest
    guard manifest.language == .openCL else {
      throw KernelLoadError(reason: "not an OpenCL kernel: \(manifest.language.rawValue)")
    }
    guard let scratch = PrivateDirectory() else {
      throw EvaluationError(.systemRefused, "no temporary directory can be made")
    }
    var limits = limits
    limits.memoryBytes += Self.driverBytes
    let session = try RunnerSession(
      setup: Self.setup(manifest, threads, scratch.path), limits: limits, confinement: confinement,
      scratch: scratch)
    let environment = [
      "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=\(scratch.path)", "TMPDIR=\(scratch.path)",
      "POCL_CACHE_DIR=\(scratch.path)", "POCL_MAX_PTHREAD_COUNT=\(threads)",
    ]
    try await session.start(
      executable: executable, artifact: artifact.bytes, environment: environment)
    return session
  }

  private static func setup(_ manifest: Artifact.Manifest, _ threads: Int, _ scratch: String)
    -> RunnerSetup
  {
    let interface = manifest.interface
    // The compiler's name comes first; the rest are options for the driver.
    let options = manifest.toolchain.split(separator: " ").dropFirst().joined(separator: " ")
    return RunnerSetup(
      kind: .openCL, threads: threads, entryPoint: interface.entryPoint,
      inputBytes: interface.inputs.map(\.storageBytes),
      outputBytes: interface.outputs.map(\.storageBytes),
      workspaceBytes: interface.workspaceBytes, alignmentBytes: interface.alignmentBytes,
      launches: interface.launches.map(launch), buildOptions: options,
      scratchDirectory: scratch)
  }

  private static func launch(_ launch: KernelLaunch) -> RunnerSetup.Launch {
    RunnerSetup.Launch(
      function: launch.function, global: launch.global, local: launch.local,
      arguments: launch.arguments.map { argument in
        switch argument {
        case .input(let position): .input(position)
        case .output(let position): .output(position)
        case .workspace(let offset): .workspace(offset)
        }
      })
  }
}
