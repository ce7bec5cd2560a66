import CacheStore
import KernelSpec
import Logging
import Support

/// What became of a request for one spec.
package struct AnsweredRequest: Sendable {
  /// The number under which it was noted; `nil` when the store refused to note it.
  package var number: Int64?
  package var result: Result<KernelLibrary.Resolution, OptimizationError>
}

extension KernelLibrary {
  /// Resolves one spec as `resolve` does, and notes the request with its outcome and reason.
  package func answer(
    _ text: String, _ demand: Result<Demand, OptimizationError>, namespace: String = ""
  ) async -> AnsweredRequest {
    let started = time.monotonicSeconds
    let result: Result<Resolution, OptimizationError>
    do throws(OptimizationError) {
      result = .success(try await resolve(text, try demand.get(), namespace: namespace))
    } catch {
      result = .failure(error)
    }
    let number = note(
      result, namespace: namespace, latencySeconds: time.monotonicSeconds - started)
    return AnsweredRequest(number: number, result: result)
  }

  /// Why a key is missing: the parts in which it differs from the nearest entry.
  func reasonForMiss(_ key: KernelKey, name: String) -> String {
    let parts = key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) }
    guard let near = try? store.nearest(to: parts, name: name) else {
      return "no entry has this key; the store was empty"
    }
    let differing = near.differing.joined(separator: ", ")
    return "no entry had this key; the nearest, \(near.entry.name) "
      + "(\(near.entry.key.hex.prefix(12))), differs in \(differing)"
  }

  private func note(
    _ result: Result<Resolution, OptimizationError>, namespace: String, latencySeconds: Double
  ) -> Int64? {
    var record = RequestRecord(
      time: time.wallSeconds, key: nil, outcome: "failed", reason: "",
      latencySeconds: latencySeconds)
    var amounts = ["requests": 1]
    switch result {
    case .failure(let error): record.reason = error.message
    case .success(let resolution):
      record.key = resolution.key.digest
      record.outcome = resolution.status.rawValue
      record.reason = resolution.reason
      amounts[resolution.status == .hit ? "hits" : "misses"] = 1
      if resolution.status == .baseline { amounts["baselines_served"] = 1 }
    }
    do {
      let number = try store.note(record, namespace: namespace, counting: amounts)
      log(record, number: number)
      return number
    } catch {
      log.warning("a request could not be noted", metadata: ["error": "\(error)"])
      return nil
    }
  }

  private func log(_ record: RequestRecord, number: Int64) {
    let isRoutine = record.outcome == "hit" || record.outcome == "miss"
    log.log(
      level: isRoutine ? .debug : .info, "answered a request",
      metadata: [
        "request": "\(RequestName(number).text)", "outcome": "\(record.outcome)",
        "key": "\(record.key?.hex ?? "")", "reason": "\(record.reason)",
        "latency_microseconds": "\(Int(record.latencySeconds * 1e6))",
      ])
  }
}

/// How the number of a request is written: `r17`. No key begins so.
package struct RequestName: Sendable, Hashable {
  package let number: Int64

  package init(_ number: Int64) { self.number = number }

  package init?(_ text: String) {
    guard text.first == "r", let number = Int64(text.dropFirst()), number > 0 else { return nil }
    self.number = number
  }

  package var text: String { "r\(number)" }
}
