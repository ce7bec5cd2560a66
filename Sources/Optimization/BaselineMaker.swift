package import CacheStore
package import KernelSpec
import Evaluation
package import Support

/// Makes what a miss is answered with: the default schedule, verified and published.
package struct BaselineMaker: Sendable {
  package let workshop: Workshop
  package let store: CacheStore
  package let time: any TimeSource

  /// Compiles, verifies and publishes the plan's default kernel.
  ///
  /// When the default schedule fails, the plainest one (the last sketch of every kernel) is tried: a fault in
  /// one sketch costs speed, not the answer.
  ///
  /// - Throws: ``OptimizationError``: `internal-error` when no schedule gives a correct kernel.
  package func make(_ plan: KernelPlan, namespace: String = "") async throws(OptimizationError)
    -> StoredKernel
  {
    var random = SystemRandomNumberGenerator()
    let seed = random.next()
    // Neither needs the other, and there are cores for both.
    async let building = workshop.build(plan.space.defaultSchedule, of: plan)
    let values = try await workshop.referenceValues(
      of: plan, on: workshop.publicationParts(of: plan)[0], seed: seed)
    let built = await building
    switch try await attempt(built, at: plan, against: values, namespace) {
    case .success(let kernel): return kernel
    case .failure(let refused):
      let plainest = await workshop.build(plan.space.plainestSchedule, of: plan)
      switch try await attempt(plainest, at: plan, against: values, namespace) {
      case .success(let kernel): return kernel
      case .failure(let second):
        throw OptimizationError(
          .internalError,
          "\(plan.spec.name): no default kernel passes verification: \(refused.outcome.reason); "
            + second.outcome.reason)
      }
    }
  }

  /// Verifies and publishes what was built, or says why not.
  private func attempt(
    _ built: Result<Workshop.Built, RefusedCandidate>, at plan: KernelPlan,
    against values: ReferenceValues, _ namespace: String
  ) async throws(OptimizationError) -> Result<StoredKernel, RefusedCandidate> {
    switch built {
    case .failure(let refused): return .failure(refused)
    case .success(let built):
      let outcome: VerificationOutcome
      do {
        outcome = try await workshop.verifyForPublication(
          built.artifact, of: plan, startingWith: values)
      } catch {
        throw OptimizationError(.environment, "\(plan.spec.name): \(error)")
      }
      if let failure = outcome.failure {
        return .failure(RefusedCandidate(outcome: failure.outcome))
      }
      return .success(try publish(built, checks: outcome.checks, of: plan, namespace))
    }
  }

  private func publish(
    _ built: Workshop.Built, checks: [Evidence.CorrectnessCheck], of plan: KernelPlan,
    _ namespace: String
  ) throws(OptimizationError) -> StoredKernel {
    let evidence = Evidence(
      artifact: built.artifact.manifest.digest, hardware: plan.key["hardware"] ?? "",
      toolchain: built.artifact.manifest.toolchain, checks: checks, timing: nil,
      recordedAt: time.wallSeconds, provenance: workshop.provenance)
    return try store.publish(
      built, verdict: .baseline, evidence: evidence, searchSeconds: 0, namespace: namespace,
      of: plan)
  }
}

extension CacheStore {
  /// Publishes a revision for a plan and returns what is served now.
  func publish(
    _ built: Workshop.Built, verdict: Verdict, evidence: Evidence, searchSeconds: Double,
    namespace: String = "", of plan: KernelPlan
  ) throws(OptimizationError) -> StoredKernel {
    do {
      let revision = try publish(
        key: plan.key.digest, spec: plan.spec.canonicalText, name: plan.spec.name,
        hardware: plan.key["hardware"] ?? "",
        parts: plan.key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) },
        verdict: verdict, artifact: built.artifact, source: built.source, evidence: evidence,
        searchSeconds: searchSeconds, namespace: namespace)
      guard let stored = try lookup(key: plan.key.digest, revision: revision) else {
        throw OptimizationError(
          .environment, "\(plan.spec.name): what was just stored cannot be read back")
      }
      return stored
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(storing: error)
    }
  }
}

extension OptimizationError {
  /// A failure of the store, by who can act on it.
  package init(storing error: any Error) {
    let known = error as? GranaryError
    if known?.code == .storeClosed || error is CancellationError {
      self.init(.shuttingDown, "the daemon is stopping")
      return
    }
    if known?.code == .storeNotFound, known?.responsible == .input {
      self.init(.notFound, known?.message ?? "")
      return
    }
    self.init(known?.responsible == .internal ? .internalError : .environment, "\(error)")
  }
}

extension ScheduleSpace {
  /// The schedule of every last sketch, which is the loop nest that fits any kernel.
  var plainestSchedule: Schedule {
    Schedule(
      kernels: kernels.compactMap { $0.sketches.last?.defaultSchedule },
      build: defaultSchedule.build)
  }
}

extension CandidateOutcome {
  /// Why a candidate is not correct, for people; empty for one that is.
  package var reason: String {
    switch self {
    case .illegal(let reason), .runFailed(let reason), .incorrect(let reason): reason
    case .compileFailed(let log): String(log.prefix(2000))
    case .duplicate, .measured: ""
    }
  }
}
