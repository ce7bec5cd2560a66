package import CacheStore
import CodeGeneration
import Evaluation
package import KernelSpec
package import Support
import TensorProgram

/// Makes the kernel of a family of specs: one source of the sources of all its instances, verified where each of its
/// definitions is used.
package struct FamilyMaker: Sendable {
  package let workshop: Workshop
  package let store: CacheStore
  package let time: any TimeSource

  /// What compiling one source may cost: sources with more definitions are made under plainer schedules.
  private static let definitions = 300

  /// Generates, compiles, verifies and publishes.
  ///
  /// - Throws: ``OptimizationError``: `unsupported` when an instance has no kernel or the sources have too little in
  ///   common, `internal-error` when an instance fails its verification.
  package func make(_ family: SpecFamily, _ key: KernelKey, namespace: String = "")
    async throws(OptimizationError) -> StoredKernel
  {
    let made = try await generate(family)
    let artifact: Artifact
    switch await workshop.compile(made.source, for: .candidate) {
    case .artifact(let compiled): artifact = compiled
    case .failed(let log):
      throw OptimizationError(
        .internalError, "\(family.name): the kernel does not compile: \(log.prefix(2000))")
    }
    var checks: [Evidence.CorrectnessCheck] = []
    for sizes in made.witnesses { checks += try await verify(artifact, of: family, at: sizes) }
    let evidence = Evidence(
      artifact: artifact.manifest.digest, hardware: key["hardware"] ?? "",
      toolchain: artifact.manifest.toolchain, checks: checks, timing: nil,
      recordedAt: time.wallSeconds, provenance: workshop.provenance)
    return try publish(
      Workshop.Built(source: made.source, artifact: artifact), evidence, of: family, key, namespace)
  }

  private func publish(
    _ built: Workshop.Built, _ evidence: Evidence, of family: SpecFamily, _ key: KernelKey,
    _ namespace: String
  ) throws(OptimizationError) -> StoredKernel {
    do {
      let revision = try store.publish(
        key: key.digest, spec: family.canonicalText, name: family.name,
        hardware: key["hardware"] ?? "",
        parts: key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) }, verdict: .baseline,
        artifact: built.artifact, source: built.source, evidence: evidence, searchSeconds: 0,
        namespace: namespace)
      if let stored = try store.lookup(key: key.digest, revision: revision) { return stored }
    } catch {
      throw OptimizationError(storing: error)
    }
    throw OptimizationError(
      .environment, "\(family.name): what was just stored cannot be read back")
  }

  // MARK: - Generation

  private struct Made: Sendable {
    var source: KernelSource
    var witnesses: [[Int]]
  }

  /// The source of all instances, under the default schedule of the largest as far as that is legal.
  private func generate(_ family: SpecFamily) async throws(OptimizationError) -> Made {
    let hardware = workshop.hardware
    let largest = try KernelPlan(
      spec: try Self.instance(family, family.symbols.map(\.upper)), hardware: hardware)
    do {
      return try await workshop.gate.work {
        try await OwnThread.run {
          let schedules = [largest.space.defaultSchedule, largest.space.plainestSchedule]
          for schedule in schedules {
            if let made = try Self.generate(family, largest.generator, schedule) { return made }
          }
          throw OptimizationError(
            .unsupported,
            "\(family.name): the kernels of its sizes have too little in common for one artifact; "
              + "narrow the ranges, or give them a step")
        }
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.unsupported, "\(family.name): \(error)")
    }
  }

  /// - Returns: `nil` when there are too many definitions.
  private static func generate(
    _ family: SpecFamily, _ generator: CodeGenerator, _ schedule: Schedule
  ) throws -> Made? {
    var builder = FamilyBuilder(generator: generator, symbols: family.symbols)
    for sizes in family.combinations {
      let spec = try instance(family, sizes)
      guard spec.inputs.map(\.type) == family.inputs.map({ $0.type.type(at: sizes) }),
        spec.outputs.map(spec.type) == family.outputs.map({ $0.type(at: sizes) })
      else {
        throw OptimizationError(
          .badSpec,
          "\(family.name): at \(SpecFamily.describe(sizes, family.symbols)) the types do not follow "
            + "the polynomials of the other sizes")
      }
      try builder.add(
        sizes, TensorProgram(lowering: spec).fused(), preferring: [schedule])
      if builder.definitionCount > definitions { return nil }
    }
    return Made(
      source: try builder.source(
        KernelInterface.OpenSizes(
          symbols: family.symbols.enumerated().map { position, symbol in
            var canonical = symbol
            canonical.name = SizeExpression.canonicalName(position)
            return canonical
          }, places: family.places, inputs: family.inputs.map(\.type), outputs: family.outputs)),
      witnesses: builder.witnesses)
  }

  private static func instance(_ family: SpecFamily, _ sizes: [Int]) throws(OptimizationError)
    -> CheckedSpec
  {
    do {
      return try family.instance(at: sizes)
    } catch {
      throw OptimizationError(.badSpec, "\(family.name): \(error)")
    }
  }

  // MARK: - Verification

  /// Verifies a stored kernel again: at the smallest and largest sizes, and at some between.
  func repeatChecks(_ artifact: Artifact, of family: SpecFamily) async throws(OptimizationError)
    -> [Evidence.CorrectnessCheck]
  {
    let all = family.combinations
    var random = SystemRandomNumberGenerator()
    let between = (0..<6).compactMap { _ in all.randomElement(using: &random) }
    var checks: [Evidence.CorrectnessCheck] = []
    for sizes in all.prefix(1) + between + all.suffix(1) {
      checks += try await verify(artifact, of: family, at: sizes)
    }
    return checks
  }

  /// Verifies the artifact at one combination of sizes as the kernel of that spec is verified.
  ///
  /// - Returns: what was compared; the sizes are in the names of the distributions.
  func verify(_ artifact: Artifact, of family: SpecFamily, at sizes: [Int])
    async throws(OptimizationError) -> [Evidence.CorrectnessCheck]
  {
    let names = family.symbols.indices.map { "\(SizeExpression.canonicalName($0)) = \(sizes[$0])" }
      .joined(separator: ", ")
    let plan = try KernelPlan(
      spec: try Self.instance(family, sizes), hardware: workshop.hardware,
      trailingInputs: [Self.bytes(of: sizes)])
    let outcome: VerificationOutcome
    do {
      let workshop = workshop
      let bound = artifact.at(plan)
      outcome = try await workshop.reservingMemory(for: plan) {
        try await workshop.verifyForPublication(bound, of: plan)
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.environment, "\(family.name): \(error)")
    }
    if let failure = outcome.failure {
      throw OptimizationError(.internalError, "\(family.name): at \(names): \(failure.reason)")
    }
    return outcome.checks.map { check in
      var named = check
      named.distribution = "\(names): \(check.distribution)"
      return named
    }
  }

  /// The sizes as the kernel takes them.
  private static func bytes(of sizes: [Int]) -> [UInt8] {
    sizes.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) }
  }
}

extension Artifact {
  /// The artifact of a family as the kernel of one instance, with the buffers of that instance.
  fileprivate func at(_ plan: KernelPlan) -> Artifact {
    var copy = self
    let program = plan.program
    let sizes = manifest.interface.openSizes?.symbols.count ?? 0
    copy.manifest.interface.inputs =
      program.inputs.map { program[$0].type } + [TensorType(.i64, [sizes])]
    copy.manifest.interface.outputs = program.outputs.map { program[$0].type }
    copy.manifest.interface.inputDomains = program.inputDomains + [.any]
    return copy
  }
}
