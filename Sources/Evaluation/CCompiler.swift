import CLinux
package import Hardware
package import KernelSpec

/// Compiles C to a position-independent shared object that needs no library and keeps no state.
///
/// Clang is preferred to gcc, which spills the accumulators of tiled contractions (measured: 5
/// against 158 GFLOP/s). The environment variable `GRANARY_CC` names another compiler.
package struct CCompiler: KernelCompiler {
  package let identity: String
  /// The absolute path of the compiler.
  package let path: String
  /// How compilers are shut in.
  package let confinement: Confinement
  private let host: CompatibilityIdentity
  /// What code for this machine may use; asked of the compiler when it is first needed.
  private let features: UsableFeatures
  private let timeLimit: Duration

  /// Finds a compiler, and removes what compilations of killed processes left behind.
  ///
  /// Looks at `GRANARY_CC`, then clang, clang-NN (newest first) and gcc on the search
  /// path.
  ///
  /// - Parameters:
  ///   - host: what the artifacts will require of a machine, since code is made for this one.
  ///   - confinement: `nil` to find the best that this machine offers.
  ///   - timeLimit: of one compilation of up to 64 KiB, after which it fails; as much again for each 64 KiB more.
  ///     `nil` for the environment variable `GRANARY_CC_SECONDS`, or 30 seconds.
  /// - Throws: `.compilerMissing`.
  package init(
    host: CompatibilityIdentity, environment: [String: String], confinement: Confinement? = nil,
    timeLimit: Duration? = nil
  ) async throws(EvaluationError) {
    PrivateDirectory.removeAbandoned()
    let limit =
      timeLimit ?? environment["GRANARY_CC_SECONDS"].flatMap { Int($0) }.map { .seconds($0) }
      ?? .seconds(30)
    let path = try CompilerSearch(environment: environment).find()
    async let best = Self.best(confinement, environment)
    let version = await ToolRun.run([path, "--version"], timeLimit: .seconds(10))
    self.confinement = await best
    guard version.status == 0, let line = version.output.split(separator: "\n").first else {
      throw EvaluationError(.compilerMissing, "\(path) --version failed: \(version.output)")
    }
    let digest = Digest(of: Array("\(path)\n\(version.output)".utf8)).hex.prefix(12)
    self.identity = "\(line) [\(digest)]"
    self.path = path
    self.host = host
    self.timeLimit = limit
    features = UsableFeatures(compiler: path, host: host, timeLimit: limit)
  }

  private static func best(_ given: Confinement?, _ environment: [String: String]) async
    -> Confinement
  {
    if let given { return given }
    return await Confinement.find(environment: environment)
  }

  package func compile(
    _ source: KernelSource, for purpose: CompilationPurpose
  ) async -> CompileOutcome {
    guard source.language == .c else {
      return .failed(log: "a C compiler cannot compile \(source.language.rawValue)")
    }
    if let refused = CompilerOptions.refused(in: source.compilerOptions, for: purpose) {
      return .failed(log: "the compiler option \(refused) is not allowed")
    }
    guard let directory = PrivateDirectory() else {
      return .failed(log: "no temporary directory can be made")
    }
    guard directory.write(Array(CompilerOptions.text(of: source).utf8), to: "kernel.c") else {
      return .failed(log: "the source cannot be written to \(directory.path)")
    }
    async let features = features.value()
    let run = await ToolRun.run(
      CompilerOptions.command(for: source, compiler: path),
      environment: ["PATH=/usr/local/bin:/usr/bin:/bin", "TMPDIR=\(directory.path)", "LC_ALL=C"],
      directory: directory.path, confinement: confinement,
      timeLimit: timeLimit * (1 + source.text.utf8.count / largeSource))
    guard run.status == 0 else { return .failed(log: run.failure) }
    guard let bytes = directory.read("kernel.so") else {
      return .failed(log: "the compiler wrote no shared object")
    }
    if let objection = SharedObjectRules.objection(to: bytes) { return .failed(log: objection) }
    return .artifact(artifact(bytes, source, requiring: await features))
  }

  private func artifact(
    _ bytes: [UInt8], _ source: KernelSource, requiring features: [String]
  ) -> Artifact {
    Artifact(
      manifest: Artifact.Manifest(
        language: .c, interface: source.interface,
        toolchain: ([identity] + CompilerOptions.chosen(by: source, compiler: path))
          .joined(separator: " "),
        requiredFeatures: features, architecture: host.architecture,
        digest: Digest(of: bytes)),
      bytes: bytes)
  }
}

/// The bytes of a source that a compiler has its time limit for.
private let largeSource = 64 << 10
