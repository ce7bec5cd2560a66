import CacheStore
import Hardware
package import DaemonAPI
package import KernelSpec
import Optimization
import Support

extension LibraryServing {
  package func statistics() async throws(ServiceError) -> Statistics {
    let (running, queued) = await library.queue.counts
    return try storing {
      let stored = try library.store.statistics()
      let counters = try library.store.counters()
      return Statistics(
        entries: stored.entries, requests: counters["requests"] ?? 0,
        hits: counters["hits"] ?? 0, misses: counters["misses"] ?? 0,
        baselinesServed: counters["baselines_served"] ?? 0,
        searchesStarted: counters["searches_started"] ?? 0,
        searchesFinished: counters["searches_finished"] ?? 0,
        candidatesEvaluated: counters["candidates_evaluated"] ?? 0,
        bytesUncompressed: stored.uncompressedBytes, bytesCompressed: stored.compressedBytes,
        searchesRunning: running, searchesQueued: queued)
    }
  }

  package func explain(key: Digest) async throws(ServiceError) -> Explanation {
    let entry = try storing { try found(key) }
    guard let entry else {
      throw ServiceError(.notFound, "there is no entry with the key \(key)")
    }
    return try await explain(
      key: key, name: entry.name,
      parts: entry.parts.map { KernelKey.Part(name: $0.name, value: $0.value) })
  }

  package func explain(spec: String) async throws(ServiceError) -> Explanation {
    do {
      let (checked, key) = try library.identify(spec)
      return try await explain(key: key.digest, name: checked.name, parts: key.parts)
    } catch let error as OptimizationError {
      throw ServiceError(error)
    } catch let error as ServiceError {
      throw error
    } catch {
      throw ServiceError(.internalError, "\(error)")
    }
  }

  private func explain(key: Digest, name: String, parts: [KernelKey.Part])
    async
    throws(ServiceError) -> Explanation
  {
    let detail = try await detail(of: key)
    let nearest = detail == nil ? try neighbour(of: parts) : nil
    return Explanation(
      key: key.hex, name: name,
      parts: parts.map { Explanation.Part(name: $0.name, value: $0.value) },
      present: detail != nil, reasons: detail.map(Self.reasons) ?? Self.reasons(nearest),
      nearest: nearest, detail: detail)
  }

  private func neighbour(of parts: [KernelKey.Part]) throws(ServiceError)
    -> Explanation.Neighbour?
  {
    let wanted = parts.map { StoredKeyPart(name: $0.name, value: $0.value) }
    let near = try storing { try library.store.nearest(to: wanted) }
    guard let near else { return nil }
    let own = KernelKey(parts: parts)
    let other = KernelKey(
      parts: near.entry.parts.map { KernelKey.Part(name: $0.name, value: $0.value) })
    return Explanation.Neighbour(
      key: near.entry.key.hex, name: near.entry.name,
      differences: own.differences(from: other).map {
        Explanation.Difference(part: $0.name, here: $0.own ?? "", there: $0.other ?? "")
      })
  }

  private static func reasons(_ detail: KernelDetail) -> [String] {
    var reasons = ["revision \(detail.entry.revision) is served: \(detail.entry.verdict.rawValue)"]
    if detail.entry.pinned { reasons.append("it is pinned, so newer revisions are not served") }
    if let evidence = detail.evidence {
      let worst = evidence.checks.map(\.worstErrorOverTolerance).max() ?? 0
      let elements = evidence.checks.reduce(0) { $0 + $1.elementsCompared }
      reasons.append(
        "\(elements) elements of \(evidence.checks.count) distributions agreed with the reference; "
          + "the largest error was \(Int(worst * 100)) % of its tolerance")
      if let timing = evidence.timing {
        reasons.append(
          "it was \(rounded(timing.speedup)) times as fast as the baseline (at least "
            + "\(rounded(timing.speedupLowerBound)) with 95 % confidence)")
      }
    }
    if let termination = detail.termination {
      reasons.append(
        "its search tried \(detail.candidates) candidates and ended by: \(termination)")
    } else {
      reasons.append("no search of it has ended yet")
    }
    return reasons
  }

  private static func reasons(_ nearest: Explanation.Neighbour?) -> [String] {
    guard let nearest else { return ["the store is empty"] }
    let parts = nearest.differences.map(\.part).joined(separator: ", ")
    return ["a miss: no entry has this key; the nearest, \(nearest.name), differs in \(parts)"]
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  package func hardware() async throws(ServiceError) -> HardwareReport {
    let hardware = library.workshop.hardware
    let tuning = hardware.tuning
    let ceilings = library.workshop.measuredCeilings
    return HardwareReport(
      model: tuning.model, architecture: hardware.compatibility.architecture,
      features: hardware.compatibility.features, libc: hardware.compatibility.libc,
      threads: tuning.threads, vectorBytes: tuning.vectorBytes,
      vectorRegisters: tuning.vectorRegisters, cacheBytes: tuning.cacheBytes,
      tuningIdentity: tuning.canonicalText,
      operationsPerSecond: Dictionary(
        uniqueKeysWithValues: ceilings.operationsPerSecond.map { ($0.key.rawValue, $0.value) }),
      readBytesPerSecond: ceilings.read.farthest, copyBytesPerSecond: ceilings.copy.farthest,
      cachedReadBytesPerSecond: ceilings.read.bytesPerSecond(
        workingSet: Double(tuning.cacheBytes.max() ?? 0) / 2))
  }
}
