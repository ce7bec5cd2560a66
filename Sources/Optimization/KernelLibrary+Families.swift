import CacheStore
import KernelSpec
import Support

extension KernelLibrary {
  /// The kernel of a family with what pays in each part of its sizes; measured once, whatever comes of it.
  ///
  /// - Throws: ``OptimizationError``.
  func specialise(_ subject: KernelSubject) async throws(OptimizationError) -> StoredKernel {
    let served = try await baseline(of: subject)
    guard case .family(let family) = subject.content, served.evidence.buckets == nil else {
      return served
    }
    do {
      return try await specialisations.value(for: subject.key.digest) { [self] in
        let maker = FamilyMaker(workshop: workshop, store: store, time: time)
        let specialiser = FamilySpecialiser(maker: maker, family: family, key: subject.key)
        let kernel = try await specialiser.specialise(served)
        announceChange(of: subject.key.digest)
        return kernel
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.internalError, "\(subject.name): \(error)")
    }
  }

  /// Specialises a family and reports when that has ended.
  func tune(_ subject: KernelSubject) async throws(OptimizationError) -> AsyncStream<SearchProgress>
  {
    let kernel = try await specialise(subject)
    let buckets = kernel.evidence.buckets ?? []
    var last = SearchProgress(
      key: subject.key.digest, state: .finished,
      candidates: buckets.count { $0.timing != nil })
    last.bestSpeedup = buckets.compactMap { $0.timing?.speedup }.max()
    last.termination = "buckets measured"
    return AsyncStream { continuation in
      continuation.yield(last)
      continuation.finish()
    }
  }
}
