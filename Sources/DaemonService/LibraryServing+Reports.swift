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
      let subject = try library.subject(of: spec)
      return try await explain(
        key: subject.key.digest, name: subject.name, parts: subject.key.parts)
    } catch let error as OptimizationError {
      throw ServiceError(error)
    } catch let error as ServiceError {
      throw error
    } catch {
      throw ServiceError(.internalError, "\(error)")
    }
  }

  package func explain(request: String) async throws(ServiceError) -> Explanation {
    guard let name = RequestName(request) else {
      throw ServiceError(.badRequest, "'\(request)' names no request; one is written r17")
    }
    guard let record = try storing({ try library.store.request(number: name.number) }) else {
      throw ServiceError(.notFound, "there was no request \(request), or it is too long ago")
    }
    var explanation = Explanation(
      key: record.key?.hex ?? "", name: "", parts: [], present: false, reasons: [], nearest: nil,
      detail: nil)
    if let key = record.key, try storing({ try found(key) }) != nil {
      explanation = try await explain(key: key)
      explanation.reasons = explanation.reasons.map { "now: \($0)" }
    }
    explanation.request = .init(
      request: request, time: record.time, outcome: record.outcome, reason: record.reason,
      latencyMicroseconds: record.latencySeconds * 1e6)
    explanation.reasons.insert("then: \(record.outcome): \(record.reason)", at: 0)
    return explanation
  }

  package func searches() async -> [TuneEvent] {
    await library.queue.reports.map { TuneEvent($0.progress, name: $0.name) }
  }

  private func explain(key: Digest, name: String, parts: [KernelKey.Part])
    async
    throws(ServiceError) -> Explanation
  {
    let detail = try await detail(of: key)
    let nearest = detail == nil ? try neighbour(of: parts, name: name) : nil
    var reasons = detail.map(Self.reasons) ?? Self.reasons(nearest)
    if let search = await searches().first(where: { $0.key == key.hex }) {
      reasons.append(Self.reason(search))
    } else if let detail, detail.termination == nil {
      reasons.append("no search of it has ended, runs or waits")
    }
    var explanation = Explanation(
      key: key.hex, name: name,
      parts: parts.map { Explanation.Part(name: $0.name, value: $0.value) },
      present: detail != nil, reasons: reasons, nearest: nearest, detail: detail)
    if let detail { addDiagnosis(of: detail, to: &explanation) }
    return explanation
  }

  /// What bounds a kernel that was measured; a spec that an older Granary stored may have no program here.
  private func addDiagnosis(of detail: KernelDetail, to explanation: inout Explanation) {
    guard let timing = detail.evidence?.timing,
      let found = try? library.diagnose(
        detail.spec, measuredSeconds: timing.kernelNanoseconds.median * 1e-9)
    else { return }
    let share = Int((min(1, found.rooflineFraction) * 100).rounded())
    explanation.reasons.append(
      "its bound is \(found.bottleneck); it reaches \(share) % of the ceiling")
    explanation.advice = found.pages.map { .init(title: $0.title, text: $0.text) }
  }

  private static func reason(_ search: TuneEvent) -> String {
    guard search.state == .running else { return "a search of it waits for its turn" }
    let best = search.bestSpeedup.map { "; the best so far is \(rounded($0)) times as fast" } ?? ""
    return "a search of it runs: \(search.candidates) candidates in "
      + "\(rounded(search.elapsedSeconds)) s\(best)"
  }

  private func neighbour(of parts: [KernelKey.Part], name: String) throws(ServiceError)
    -> Explanation.Neighbour?
  {
    let wanted = parts.map { StoredKeyPart(name: $0.name, value: $0.value) }
    let near = try storing { try library.store.nearest(to: wanted, name: name) }
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
      if let best = detail.lineage.max(by: { $0.fitness < $1.fitness }), best.fitness > 1,
        detail.entry.verdict == .baseline
      {
        reasons.append(
          "the fittest, #\(best.id), seemed \(rounded(best.fitness)) times as fast, but that was not "
            + "confirmed when it was verified and measured again")
      }
    }
    return reasons
  }

  private static func reasons(_ nearest: Explanation.Neighbour?) -> [String] {
    guard let nearest else { return ["the store is empty"] }
    let parts = nearest.differences.map(\.part).joined(separator: ", ")
    return ["a miss: no entry has this key; the nearest, \(nearest.name), differs in \(parts)"]
  }

  private static func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

  package var tuningIdentity: String? { library.workshop.hardware.tuning.canonicalText }

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
