import CacheStore
import Evaluation
package import KernelSpec
import Logging
import Support

/// What became of a kernel whose evidence was repeated.
package struct EvidenceOutcome: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case passed
    /// It was withdrawn, and is never served again.
    case failed
    /// It cannot be run on this machine, or has nothing to run.
    case notHere = "not-here"
  }

  package var key: Digest
  package var name: String
  package var revision: Int?
  package var verdict: Verdict
  package var reason: String
  package var elementsCompared = 0
}

extension KernelLibrary {
  /// Runs the evidence of what is served for a key again, on new inputs. A kernel that fails twice is withdrawn.
  ///
  /// - Throws: ``OptimizationError`` when there is no such entry, or when the machine could not do it.
  package func repeatEvidence(of key: Digest) async throws(OptimizationError) -> EvidenceOutcome {
    try await tryOut(key, revision: nil)
  }

  /// Verifies a revision that is on trial, or without a number what is served.
  func tryOut(_ key: Digest, revision: Int?) async throws(OptimizationError) -> EvidenceOutcome {
    let entry = try entry(of: key)
    var outcome = EvidenceOutcome(
      key: key, name: entry.name, revision: nil, verdict: .notHere, reason: "")
    let check: EvidenceCheck
    do throws(OptimizationError) {
      check = try self.check(of: entry)
    } catch {
      outcome.reason = error.message
      return outcome
    }
    guard let kernel = try kernelToTry(key, revision) else {
      outcome.reason = "nothing that is stored for it can be read and run here"
      return outcome
    }
    outcome.revision = kernel.revision
    let result =
      switch check {
      case .plan(let plan): try await verified(kernel, of: plan)
      case .family(let family): try await verified(kernel, of: family)
      }
    do {
      switch result {
      case .success(let checks):
        outcome.verdict = .passed
        outcome.elementsCompared = checks.reduce(0) { $0 + $1.elementsCompared }
        try store.noteVerified(key: key, revision: kernel.revision)
      case .failure(let failure):
        outcome.verdict = .failed
        outcome.reason = failure.message
        try store.withdraw(key: key, revision: kernel.revision, reason: failure.message)
        log.error(
          "a kernel failed its repeated verification and was withdrawn",
          metadata: [
            "key": "\(key)", "revision": "\(kernel.revision)", "reason": "\(failure.message)",
          ])
      }
    } catch {
      throw OptimizationError(storing: error)
    }
    announceChange(of: key)
    return outcome
  }

  /// How the evidence of an entry is repeated.
  private enum EvidenceCheck {
    case plan(KernelPlan)
    case family(SpecFamily)
  }

  private func check(of entry: StoredEntry) throws(OptimizationError) -> EvidenceCheck {
    let subject = try subject(of: entry.spec)
    guard case .family(let family) = subject.content else { return .plan(try plan(of: entry)) }
    guard subject.key.digest == entry.key else {
      throw OptimizationError(
        .unsupported, "\(entry.name) is for other hardware, or of another Granary")
    }
    return .family(family)
  }

  /// The checks that a kernel of a family passes at some sizes, or why it fails.
  private func verified(_ kernel: StoredKernel, of family: SpecFamily)
    async throws(OptimizationError) -> Result<[Evidence.CorrectnessCheck], OptimizationError>
  {
    let maker = FamilyMaker(workshop: workshop, store: store, time: time)
    do throws(OptimizationError) {
      return .success(try await maker.repeatChecks(kernel.artifact, of: family))
    } catch {
      // Only a wrong result speaks against the kernel.
      guard error.code == .internalError else { throw error }
      return .failure(error)
    }
  }

  /// The checks that a kernel passes, or why it fails. One that fails is tried once more: a machine that is short
  /// of memory must not cost a kernel.
  func verified(_ kernel: StoredKernel, of plan: KernelPlan) async throws(OptimizationError)
    -> Result<[Evidence.CorrectnessCheck], OptimizationError>
  {
    var reason = ""
    for _ in 0..<2 {
      do {
        let outcome = try await workshop.verifyForPublication(kernel.artifact, of: plan)
        guard let failure = outcome.failure else { return .success(outcome.checks) }
        reason = failure.reason
      } catch {
        throw OptimizationError(.environment, "\(plan.spec.name): \(error)")
      }
    }
    return .failure(OptimizationError(.internalError, reason))
  }

  /// Queues a search of a key that begins with the champion of the last one.
  ///
  /// - Throws: `not-found`, or `unsupported` when this machine cannot search for it.
  package func refresh(_ key: Digest, limits: SearchLimits? = nil) async throws(OptimizationError)
    -> SearchProgress.State
  {
    let entry = try entry(of: key)
    let plan = try plan(of: entry)
    if try lookup(plan.key) == nil {
      // A withdrawn kernel leaves nothing to compare with.
      _ = try await baseline(
        of: KernelSubject(plan.spec, plan.key), namespace: entry.namespace)
    }
    await queue.add(plan, limits: limits ?? defaultLimits)
    return await queue.state(of: key) ?? .queued
  }

  /// What is served for a key; if there is nothing, the newest revision that came from elsewhere and waits for its
  /// trial.
  private func kernelToTry(_ key: Digest, _ revision: Int?) throws(OptimizationError)
    -> StoredKernel?
  {
    do {
      let served = revision == nil ? try store.lookup(key: key) : nil
      guard let found = try served ?? store.onTrial(key: key, revision: revision) else {
        return nil
      }
      return runsHere(found.artifact.manifest) ? found : nil
    } catch {
      throw OptimizationError(storing: error)
    }
  }

  private func entry(of key: Digest) throws(OptimizationError) -> StoredEntry {
    do {
      return try store.entry(keyPrefix: key.hex)
    } catch {
      if (error as? GranaryError)?.code == .storeNotFound {
        throw OptimizationError(.notFound, "no entry has the key \(key)")
      }
      throw OptimizationError(storing: error)
    }
  }

  /// - Throws: `unsupported` for an entry of other hardware, or one that this Granary makes under another key.
  func plan(of entry: StoredEntry) throws(OptimizationError) -> KernelPlan {
    let plan = try KernelPlan(spec: try check(entry.spec), hardware: workshop.hardware)
    guard plan.key.digest == entry.key else {
      let parts = KernelKey(
        parts: entry.parts.map { KernelKey.Part(name: $0.name, value: $0.value) })
      let differing = plan.key.differences(from: parts).map(\.name).joined(separator: ", ")
      throw OptimizationError(
        .unsupported, "\(entry.name) was made under another key; it differs in \(differing)")
    }
    return plan
  }
}
