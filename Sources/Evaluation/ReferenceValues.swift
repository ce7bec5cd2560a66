package import KernelSpec
import RunnerProtocol

/// Inputs and what must come out.
package struct VerificationCase: Sendable, Hashable {
  package var distribution: InputDistribution
  package var seed: UInt64
  package var inputs: [[UInt8]]
  /// One for each output.
  package var expected: [TensorElements]

  package init(
    distribution: InputDistribution, seed: UInt64, inputs: [[UInt8]], expected: [TensorElements]
  ) {
    self.distribution = distribution
    self.seed = seed
    self.inputs = inputs
    self.expected = expected
  }
}

/// The expected values of a spec. Computed once in a process of their own, and kept where no
/// candidate runs.
package struct ReferenceValues: Sendable {
  package let cases: [VerificationCase]

  package init(cases: [VerificationCase]) { self.cases = cases }

  /// Runs a reference kernel, with the inputs of the spec and every output as f64 or i64.
  ///
  /// - Parameters:
  ///   - interface: the candidates' interface, which the inputs are made for.
  ///   - seed: the first case's; secret, so that no candidate can know its inputs.
  /// - Throws: `EvaluationError.referenceFailed`, or what opening a session throws.
  package static func compute(
    _ reference: Artifact, for interface: KernelInterface, runner: any KernelRunner,
    distributions: [InputDistribution] = InputDistribution.allCases, seed: UInt64,
    limits: RunnerLimits = RunnerLimits(time: .seconds(60))
  ) async throws -> ReferenceValues {
    let session = try await runner.open(reference, threads: 1, limits: limits)
    let generator = InputGenerator(interface)
    var cases: [VerificationCase] = []
    for (index, distribution) in distributions.enumerated() {
      let caseSeed = seed &+ UInt64(index)
      let inputs = generator.inputs(distribution, seed: caseSeed)
      let result = try await session.run(inputs: inputs, guards: .end)
      if let failure = result.status.failure {
        await session.close()
        throw EvaluationError(.referenceFailed, "\(distribution.rawValue): \(failure)")
      }
      let types = reference.manifest.interface.outputs
      let expected = zip(types, result.outputs).map { type, bytes in
        TensorElements(bytes, dtype: type.dtype, count: type.elementCount)
      }
      cases.append(
        VerificationCase(
          distribution: distribution, seed: caseSeed, inputs: inputs, expected: expected))
    }
    await session.close()
    return ReferenceValues(cases: cases)
  }
}
