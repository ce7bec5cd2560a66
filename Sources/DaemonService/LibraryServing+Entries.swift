import CacheStore
import Optimization
package import DaemonAPI
package import KernelSpec
import Support

extension LibraryServing {
  package func entries() async throws(ServiceError) -> [EntrySummary] {
    try storing {
      try library.store.entries().map { EntrySummary($0, try newest(of: $0)) }
    }
  }

  package func detail(of key: Digest) async throws(ServiceError) -> KernelDetail? {
    try storing {
      guard let entry = try found(key) else { return nil }
      let revision = try newest(of: entry)
      let search = try library.store.searches(key: key).first
      let candidates = try search.map { try library.store.candidates(search: $0.id) } ?? []
      return KernelDetail(
        entry: EntrySummary(entry, revision), spec: entry.spec,
        artifact: revision?.manifest.digest.hex, manifest: revision?.manifest,
        evidence: revision?.evidence, lineage: Self.lineage(in: candidates),
        termination: search?.reason, candidates: candidates.count)
    }
  }

  package func remove(_ key: Digest) async throws(ServiceError) -> Bool {
    let removed = try storing {
      guard try found(key) != nil else { return false }
      try library.store.remove(key: key)
      return true
    }
    if removed { library.announceChange(of: key) }
    return removed
  }

  package func pin(_ key: Digest, _ request: PinRequest) async throws(ServiceError) -> Bool? {
    let changed: Bool? = try storing {
      guard let entry = try found(key) else { return nil }
      let isSame = request.revision == nil || request.revision == entry.pinnedRevision
      if request.pinned == (entry.pinnedRevision != nil), isSame { return false }
      if request.pinned {
        let served = try library.store.lookup(key: key)?.revision
        try library.store.pin(key: key, revision: request.revision ?? served)
      } else {
        try library.store.unpin(key: key)
      }
      return true
    }
    if changed == true { library.announceChange(of: key) }
    return changed
  }

  /// The entry of a key; `nil` when there is none.
  func found(_ key: Digest) throws -> StoredEntry? {
    do {
      return try library.store.entry(keyPrefix: key.hex)
    } catch let error as GranaryError where error.code == .storeNotFound {
      return nil
    }
  }

  private func newest(of entry: StoredEntry) throws -> StoredRevision? {
    try library.store.revisions(key: entry.key).first {
      $0.number == entry.pinnedRevision ?? entry.revision
    }
  }

  /// The fittest candidate with all that it came from, oldest first.
  private static func lineage(in candidates: [CandidateRecord]) -> [KernelDetail.Ancestor] {
    let byID = Dictionary(uniqueKeysWithValues: candidates.map { ($0.id, $0) })
    guard let best = candidates.max(by: { $0.outcome.fitness < $1.outcome.fitness }),
      best.outcome.fitness > 0
    else { return [] }
    var known: Set<Int> = []
    var open = [best.id]
    while let next = open.popLast() {
      guard known.insert(next).inserted else { continue }
      open += byID[next]?.parents ?? []
    }
    return known.sorted().compactMap { byID[$0].map(KernelDetail.Ancestor.init) }
  }
}

extension EntrySummary {
  init(_ entry: StoredEntry, _ revision: StoredRevision?) {
    self.init(
      key: entry.key.hex, name: entry.name, hardware: entry.hardware,
      verdict: revision?.verdict ?? entry.verdict, revision: revision?.number ?? entry.revision,
      bytes: entry.artifactBytes, created: entry.created, lastUsed: entry.lastUsed,
      pinned: entry.pinnedRevision != nil, uses: entry.useCount,
      speedup: revision?.evidence.timing?.speedup,
      namespace: entry.namespace.isEmpty ? nil : entry.namespace,
      protection: entry.protection.isEmpty ? nil : entry.protection.map(\.rawValue).sorted())
  }
}

extension KernelDetail.Ancestor {
  fileprivate init(_ candidate: CandidateRecord) {
    let schedule = candidate.schedule.kernels.map { kernel in
      let parameters = kernel.parameters.sorted { $0.key < $1.key }
        .map { "\($0.key)=\($0.value)" }
      return "\(kernel.sketch)(\(parameters.joined(separator: " ")))"
    }
    self.init(
      id: candidate.id, parents: candidate.parents, proposer: candidate.proposer,
      fitness: candidate.outcome.fitness, summary: schedule.joined(separator: "; "))
  }
}
