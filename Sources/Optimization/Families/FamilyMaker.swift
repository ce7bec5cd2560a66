package import CacheStore
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

  /// Generates, compiles, verifies and publishes.
  ///
  /// - Throws: ``OptimizationError``: `unsupported` when an instance has no kernel or the sources have too little in
  ///   common, `internal-error` when an instance fails its verification.
  package func make(_ family: SpecFamily, _ key: KernelKey, namespace: String = "")
    async throws(OptimizationError) -> StoredKernel
  {
    let made = try await FamilySourceMaker(family: family, workshop: workshop).general()
    let built = try await compile(made, family)
    let checks = try await verify(built.artifact, of: family, at: made.witnesses)
    return try publish(built, checks, of: family, key, namespace)
  }

  func compile(_ made: FamilySourceMaker.Made, _ family: SpecFamily) async throws(OptimizationError)
    -> Workshop.Built
  {
    switch await workshop.compile(made.source, for: .candidate) {
    case .artifact(let artifact): return Workshop.Built(source: made.source, artifact: artifact)
    case .failed(let log):
      throw OptimizationError(
        .internalError, "\(family.name): the kernel does not compile: \(log.prefix(2000))")
    }
  }

  /// Publishes a revision and returns what is served now.
  func publish(
    _ built: Workshop.Built, _ checks: [Evidence.CorrectnessCheck],
    buckets: [Evidence.Bucket]? = nil, of family: SpecFamily, _ key: KernelKey,
    _ namespace: String
  ) throws(OptimizationError) -> StoredKernel {
    var evidence = Evidence(
      artifact: built.artifact.manifest.digest, hardware: key["hardware"] ?? "",
      toolchain: built.artifact.manifest.toolchain, checks: checks, timing: nil,
      recordedAt: time.wallSeconds, provenance: workshop.provenance)
    evidence.buckets = buckets
    let isTuned = buckets?.contains(where: \.isSpecialised) ?? false
    do {
      let revision = try store.publish(
        key: key.digest, spec: family.canonicalText, name: family.name,
        hardware: key["hardware"] ?? "",
        parts: key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) },
        verdict: isTuned ? .tuned : .baseline,
        artifact: built.artifact, source: built.source, evidence: evidence, searchSeconds: 0,
        namespace: namespace)
      if let stored = try store.lookup(key: key.digest, revision: revision) { return stored }
    } catch {
      throw OptimizationError(storing: error)
    }
    throw OptimizationError(
      .environment, "\(family.name): what was just stored cannot be read back")
  }

  // MARK: - Verification

  /// Verifies a stored kernel again: at the smallest and largest sizes, and at some between.
  func repeatChecks(_ artifact: Artifact, of family: SpecFamily) async throws(OptimizationError)
    -> [Evidence.CorrectnessCheck]
  {
    let all = family.combinations
    var random = SystemRandomNumberGenerator()
    let between = (0..<6).compactMap { _ in all.randomElement(using: &random) }
    return try await verify(
      artifact, of: family, at: Array(all.prefix(1)) + between + Array(all.suffix(1)))
  }

  /// Verifies the artifact at several combinations of sizes, one after the other.
  func verify(_ artifact: Artifact, of family: SpecFamily, at combinations: [[Int]])
    async throws(OptimizationError) -> [Evidence.CorrectnessCheck]
  {
    var checks: [Evidence.CorrectnessCheck] = []
    for sizes in combinations { checks += try await verify(artifact, of: family, at: sizes) }
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
    let plan = try FamilySourceMaker(family: family, workshop: workshop).plan(at: sizes)
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
}

extension Artifact {
  /// The artifact of a family as the kernel of one instance, with the buffers of that instance.
  func at(_ plan: KernelPlan) -> Artifact {
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
