package import CacheStore
import KernelSpec
import Support

extension KernelLibrary {
  /// Removes what the limits leave no room for, and tells the listeners which keys are gone.
  ///
  /// Runs on a thread of its own. Readers go on meanwhile, and writers between its steps.
  package func collect(_ limits: CollectionLimits, dryRun: Bool = false) async throws
    -> CollectionReport
  {
    let store = store
    return try await OwnThread.run { try store.collect(limits, dryRun: dryRun) }
  }

  /// Checks everything that is stored, on a thread of its own, and repairs it if asked to.
  package func verifyStore(repair: Bool) async throws -> VerificationReport {
    let store = store
    let (report, keys) = try await OwnThread.run { () throws -> (VerificationReport, [Digest]) in
      let keys = repair ? try store.keys() : []
      return (try store.verifyAll(repair: repair), keys)
    }
    if repair && !report.isSound { for key in keys { announceChange(of: key) } }
    return report
  }
}
