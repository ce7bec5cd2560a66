import CacheStore
import KernelSpec
import Logging
import RemoteTiers

extension KernelLibrary {
  /// Asks the shared tiers for a kernel, and takes it in if it may be believed. Failures are misses.
  func fetchShared(_ key: KernelKey) async -> StoredKernel? {
    guard let sharedKernels, let received = await sharedKernels.kernel(of: key.digest) else {
      return nil
    }
    do {
      switch try await admit(received, origin: "tier") {
      case .admitted: return try lookup(key)
      case .known: return try lookup(key)
      case .refused(let refusal):
        log.warning(
          "a kernel of a shared tier was refused",
          metadata: ["key": "\(key.digest)", "reason": "\(refusal.rawValue)"])
        return nil
      }
    } catch {
      log.warning("a kernel of a shared tier was not taken in", metadata: ["error": "\(error)"])
      return nil
    }
  }

  /// Notes that what is served for a key is to be given to the shared tiers. The note survives the process.
  func queueUpload(_ key: Digest, revision: Int) {
    guard let sharedKernels, sharedKernels.tiers.isWritable else { return }
    do {
      try store.queueUpload(key: key, revision: revision)
    } catch {
      log.warning("an upload was not noted", metadata: ["error": "\(error)"])
    }
  }

  /// Gives the tiers what is due.
  ///
  /// - Returns: how many kernels were given.
  package func upload() async throws -> Int {
    guard let sharedKernels, sharedKernels.tiers.isWritable, !sharedKernels.tiers.isOffline
    else { return 0 }
    var given = 0
    for (key, revision) in try store.dueUploads() {
      guard let (kernel, served) = try shareable(key), served == revision else {
        // Collected, withdrawn or replaced since: the newer one has its own note.
        try store.finishUpload(key: key, revision: revision)
        continue
      }
      if try await sharedKernels.give(kernel) {
        try store.finishUpload(key: key, revision: revision)
        given += 1
      } else {
        try store.postponeUpload(key: key, revision: revision)
      }
    }
    if given > 0 { try store.increment(["kernels_uploaded": given]) }
    return given
  }
}
