package import CacheStore
import KernelSpec
import Support

extension KernelLibrary {
  /// Removes what the limits leave no room for, and tells the listeners which keys are gone.
  ///
  /// Runs on a thread of its own. Readers go on meanwhile; so do writers, unless there is something to remove.
  package func collect(_ limits: CollectionLimits, dryRun: Bool = false) async throws
    -> CollectionReport
  {
    let store = store
    let (report, gone) = try await OwnThread.run { () throws -> (CollectionReport, [Digest]) in
      // Looking takes no lock of the writers; removing does.
      let expected = try store.collect(limits, dryRun: true)
      if dryRun || expected.isEmpty { return (expected, []) }
      let before = Set(try store.keys())
      let report = try store.collect(limits)
      return (report, Array(before.subtracting(try store.keys())))
    }
    for key in gone { announceChange(of: key) }
    return report
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
