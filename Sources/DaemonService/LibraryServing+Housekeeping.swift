import CacheStore
package import DaemonAPI
package import KernelSpec
import Optimization
import Support

/// What operators of machines ask for: what goes, what is stale, what is verified again.
extension LibraryServing {
  package func collect(_ request: CollectRequest) async throws(ServiceError) -> CollectReport {
    guard request.unusedSeconds.map({ $0 >= 0 }) ?? true,
      request.maximumBytes.map({ $0 >= 0 }) ?? true,
      request.maximumEntries.map({ $0 >= 0 }) ?? true
    else {
      throw ServiceError(.badRequest, "a collection takes limits of at least 0")
    }
    let limits = try limits(of: request)
    do {
      let report = try await library.collect(limits, dryRun: request.dryRun ?? false)
      return CollectReport(
        entriesRemoved: report.entriesRemoved, revisionsRemoved: report.revisionsRemoved,
        blobsRemoved: report.blobsRemoved, searchesRemoved: report.searchesRemoved,
        bytesFreed: report.bytesFreed, entriesKept: report.entriesKept,
        entriesProtected: report.entriesProtected)
    } catch {
      throw ServiceError(OptimizationError(storing: error))
    }
  }

  private func limits(of request: CollectRequest) throws(ServiceError) -> CollectionLimits {
    var limits = request.hasFilter ? CollectionLimits() : bounds.collection
    // What a person asks for is exact; the watermark is for the background.
    limits.lowWatermark = request.maximumBytes == nil ? limits.lowWatermark : 1
    limits.maximumBytes = request.maximumBytes ?? limits.maximumBytes
    limits.maximumEntries = request.maximumEntries ?? limits.maximumEntries
    limits.unusedSeconds = request.unusedSeconds ?? limits.unusedSeconds
    limits.removesMatching = request.hasFilter && !request.hasLimit
    limits.filter = EntryFilter(
      namespace: request.namespace, hardware: request.hardware,
      operatorName: request.operator, toolchain: request.toolchain,
      keys: try request.stale.map { names throws(ServiceError) in
        let reasons = try reasons(names)
        return try storing { Set(try library.staleEntries(reasons).map(\.facts.key)) }
      })
    return limits
  }

  private func reasons(_ names: [String]) throws(ServiceError) -> Set<StaleReason> {
    var reasons: Set<StaleReason> = []
    for name in names {
      guard let reason = StaleReason(rawValue: name) else {
        let known = StaleReason.allCases.map(\.rawValue).joined(separator: ", ")
        throw ServiceError(.badRequest, "'\(name)' is no reason to be stale; there are \(known)")
      }
      reasons.insert(reason)
    }
    return reasons
  }

  package func stale() async throws(ServiceError) -> StaleReport {
    try storing {
      let stale = try library.staleEntries()
      return StaleReport(
        reasons: StaleReason.allCases.map { reason in
          StaleReport.Reason(
            reason: reason.rawValue, meaning: reason.explanation,
            count: stale.count { $0.reasons.contains(reason) })
        },
        entries: try library.store.statistics().entries,
        stale: stale.map {
          StaleReport.Entry(
            key: $0.facts.key.hex, name: $0.facts.name, revision: $0.facts.revision,
            lastUsed: $0.facts.lastUsed, reasons: $0.reasons.map(\.rawValue))
        })
    }
  }

  package func repeatEvidence(of key: Digest) async throws(ServiceError) -> EvidenceReport {
    do {
      let outcome = try await library.repeatEvidence(of: key)
      let verdict: EvidenceReport.Verdict =
        switch outcome.verdict {
        case .passed: .passed
        case .failed: .failed
        case .notHere: .notHere
        }
      return EvidenceReport(
        key: key.hex, name: outcome.name, revision: outcome.revision, verdict: verdict,
        reason: outcome.reason.isEmpty ? nil : outcome.reason,
        elementsCompared: outcome.elementsCompared)
    } catch {
      throw ServiceError(error)
    }
  }

  package func refresh(_ key: Digest) async throws(ServiceError) -> RefreshReport {
    do {
      let state = try await library.refresh(key)
      let name = try? found(key)?.name
      return RefreshReport(
        key: key.hex, name: name ?? "", search: state == .running ? .running : .queued)
    } catch {
      throw ServiceError(error)
    }
  }

  package func lease(_ key: Digest, _ request: LeaseRequest) async throws(ServiceError) -> Bool {
    try storing {
      guard request.seconds > 0 else {
        return try library.store.endLeases(key: key, holder: request.holder) > 0
      }
      _ = try library.store.lease(key: key, holder: request.holder, seconds: request.seconds)
      return true
    }
  }

  package func lockFiles() async throws(ServiceError) -> [LockFileReport] {
    try storing {
      try library.store.lockFiles().map { LockFileReport(path: $0.path, kernels: $0.kernels) }
    }
  }

  package func addLockFile(_ request: LockFileRequest) async throws(ServiceError) {
    guard request.path.hasPrefix("/") else {
      throw ServiceError(.badRequest, "the path of a lock file must be absolute")
    }
    try storing { try library.store.addLockFile(request.path) }
  }
}

/// Revisions: which there are, and which is served.
extension LibraryServing {
  package func revisions(of key: Digest) async throws(ServiceError) -> [RevisionSummary] {
    let store = library.store
    return try storing {
      let served = try store.lookup(key: key)?.revision
      return try store.revisions(key: key).map { revision in
        let timing = revision.evidence.timing
        return RevisionSummary(
          number: revision.number, served: revision.number == served, verdict: revision.verdict,
          artifact: revision.manifest.digest.hex, toolchain: revision.evidence.toolchain,
          created: revision.created, searchSeconds: revision.searchSeconds,
          kernelMicroseconds: timing.map { $0.kernelNanoseconds.median / 1000 },
          speedup: timing?.speedup, withdrawn: revision.withdrawn,
          origin: revision.origin.isEmpty ? nil : revision.origin, onTrial: revision.isOnTrial,
          verified: revision.verified, provenance: revision.evidence.provenance,
          source: try store.source(artifact: revision.manifest.digest)?.text)
      }
    }
  }

  package func rollBack(_ key: Digest, _ request: RollbackRequest) async throws(ServiceError)
    -> RollbackReport
  {
    let store = library.store
    let report = try storing { () throws -> RollbackReport in
      let served = try store.lookup(key: key)?.revision
      let before = try store.revisions(key: key).first {
        $0.number < served ?? .max && $0.withdrawn == nil && !$0.isOnTrial
      }
      guard let target = request.revision ?? before?.number else {
        throw ServiceError(.notFound, "\(key) has no older revision to go back to")
      }
      return RollbackReport(
        key: key.hex, restored: target, revision: try store.rollBack(key: key, to: target))
    }
    library.announceChange(of: key)
    return report
  }
}
