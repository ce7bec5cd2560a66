package import KernelSpec
import RunnerProtocol

package enum VerificationOutcome: Sendable, Hashable {
  /// One check for each case.
  case passed([Evidence.CorrectnessCheck])
  case failed(VerificationFailure)
  /// It is right as far as it was run, and slower than anything of interest.
  case hopeless(nanoseconds: Double)

  /// What was compared; empty unless all was right.
  package var checks: [Evidence.CorrectnessCheck] {
    if case .passed(let checks) = self { checks } else { [] }
  }

  /// Why it did not pass; `nil` when it did.
  package var failure: VerificationFailure? {
    switch self {
    case .passed: nil
    case .failed(let failure): failure
    case .hopeless(let nanoseconds):
      VerificationFailure(kind: .run, reason: "one call took \(Int(nanoseconds)) ns, too long")
    }
  }
}

package struct VerificationFailure: Sendable, Hashable {
  package enum Kind: Sendable, Hashable {
    /// It does not load, crashed, looped or broke a rule of the sandbox.
    case run
    /// It ran and gave a wrong result.
    case incorrect
  }
  package var kind: Kind
  package var reason: String

  /// As the search graph keeps it.
  package var outcome: CandidateOutcome {
    switch kind {
    case .run: .runFailed(reason: reason)
    case .incorrect: .incorrect(reason: reason)
    }
  }
}

/// Decides whether an artifact computes what its spec says.
///
/// Each case is run twice, between guard pages on one side and then on the other, with differently
/// poisoned workspace; both must give the same bits.
package struct Verifier: Sendable {
  private let runner: any KernelRunner
  private let numerics: NumericPolicy
  private let threads: Int
  private let limits: RunnerLimits

  package init(
    runner: any KernelRunner, numerics: NumericPolicy, threads: Int,
    limits: RunnerLimits = RunnerLimits()
  ) {
    self.runner = runner
    self.numerics = numerics
    self.threads = threads
    self.limits = limits
  }

  /// Runs `artifact` in a fresh process on every case of `reference`, and stops at the first
  /// failure.
  ///
  /// - Throws: `EvaluationError` when the machine cannot run anything.
  package func verify(_ artifact: Artifact, against reference: ReferenceValues) async throws
    -> VerificationOutcome
  {
    switch try await load(artifact) {
    case .failure(let failure): return .failed(failure)
    case .success(let kernel):
      let outcome = try await verify(kernel, against: reference)
      await kernel.session.close()
      return outcome
    }
  }

  /// Starts a fresh process with `artifact` in it, which the caller closes.
  ///
  /// - Throws: `EvaluationError` when the machine cannot run anything.
  package func load(_ artifact: Artifact) async throws -> Result<LoadedKernel, VerificationFailure>
  {
    guard artifact.manifest.digest == Digest(of: artifact.bytes) else {
      return .failure(.init(kind: .run, reason: "the artifact's bytes do not have its digest"))
    }
    do {
      let session = try await runner.open(artifact, threads: threads, limits: limits)
      return .success(LoadedKernel(session: session, interface: artifact.manifest.interface))
    } catch let error as KernelLoadError {
      return .failure(.init(kind: .run, reason: error.reason))
    }
  }

  /// Runs a loaded kernel on every case, and stops at the first failure.
  ///
  /// - Parameter hopelessNanoseconds: a first call that takes longer ends the verification with
  ///   ``VerificationOutcome/hopeless(nanoseconds:)``.
  package func verify(
    _ kernel: LoadedKernel, against reference: ReferenceValues,
    hopelessNanoseconds: Double = .infinity
  ) async throws -> VerificationOutcome {
    var checks: [Evidence.CorrectnessCheck] = []
    var first: [RunResult] = []
    for test in reference.cases {
      let result = try await kernel.session.run(inputs: test.inputs, guards: .end)
      if let failure = Self.failure(of: result) { return .failed(failure) }
      switch check(result.outputs, kernel.interface, test) {
      case .success(let check): checks.append(check)
      case .failure(let failure): return .failed(failure)
      }
      if first.isEmpty, result.runnerNanoseconds > hopelessNanoseconds {
        return .hopeless(nanoseconds: result.runnerNanoseconds)
      }
      first.append(result)
    }
    // All cases lie between the two runs of each, so that a replayed result would be another
    // case's.
    for (test, before) in zip(reference.cases, first) {
      let again = try await kernel.session.run(inputs: test.inputs, guards: .start)
      if let failure = Self.failure(of: again) { return .failed(failure) }
      if !again.outputs.hold(before.outputs) {
        return .failed(
          .init(
            kind: .incorrect, reason: "\(test.name): the result does not repeat"))
      }
    }
    return .passed(checks)
  }

  private static func failure(of result: RunResult) -> VerificationFailure? {
    if let reason = result.status.failure { return .init(kind: .run, reason: reason) }
    if !result.inputsUnchanged {
      return .init(kind: .run, reason: "the kernel changed its inputs")
    }
    return nil
  }

  private func check(
    _ outputs: [[UInt8]], _ interface: KernelInterface, _ test: VerificationCase
  ) -> Result<Evidence.CorrectnessCheck, VerificationFailure> {
    let judgement = OutputCheck(interface: interface, numerics: numerics).judge(outputs, test)
    if let mismatch = judgement.mismatch {
      return .failure(.init(kind: .incorrect, reason: "\(test.name): \(mismatch)"))
    }
    return .success(
      Evidence.CorrectnessCheck(
        distribution: test.name, seed: test.seed,
        worstErrorOverTolerance: judgement.worst, elementsCompared: judgement.count))
  }
}

extension VerificationFailure: Error {}

/// Compares the outputs of one call with what was expected.
struct OutputCheck {
  let interface: KernelInterface
  let numerics: NumericPolicy

  func judge(_ outputs: [[UInt8]], _ test: VerificationCase) -> (
    worst: Double, count: Int, mismatch: String?
  ) {
    guard outputs.count == interface.outputs.count, test.expected.count == outputs.count else {
      return (.infinity, 0, "the number of outputs differs from the reference's")
    }
    var worst = 0.0
    var count = 0
    for (index, type) in interface.outputs.enumerated() {
      let actual = TensorElements(outputs[index], dtype: type.dtype, count: type.elementCount)
      let comparison = Comparison(
        .elements(actual), test.expected[index], dtype: type.dtype, numerics: numerics,
        strictness: test.distribution.strictness)
      if let mismatch = comparison.mismatch {
        return (comparison.worst, count, "output \(index): \(mismatch)")
      }
      worst = max(worst, comparison.worst)
      count += actual.count
    }
    return (worst, count, nil)
  }
}
