import DaemonAPI
import KernelSpec

/// Lays out tables and numbers for people. Pure, so that it is tested without a daemon.
enum Format {
  /// Columns as wide as their widest cell, two spaces apart.
  static func table(_ header: [String], _ rows: [[String]]) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// A number with at most `digits` after the point.
  static func number(_ value: Double, digits: Int = 1) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let (whole, rest) = scaled.quotientAndRemainder(dividingBy: Int(scale))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    if digits == 0 { return "\(sign)\(whole)" }
    let fraction = String(rest)
    return "\(sign)\(whole).\(String(repeating: "0", count: digits - fraction.count))\(fraction)"
  }

  static func bytes(_ count: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(number(value)) \(units[unit])"
  }

  static func optional(_ value: Double?, digits: Int = 1, suffix: String = "") -> String {
    value.map { number($0, digits: digits) + suffix } ?? "-"
  }

  static func share(_ value: Double?) -> String {
    value.map { number($0 * 100, digits: 0) + " %" } ?? "-"
  }

  /// The answers of `granary get`.
  static func answers(_ answers: [KernelAnswer]) -> String {
    table(
      ["KEY", "NAME", "STATUS", "VERDICT", "REV", "TIME us", "SPEEDUP", "ROOFLINE", "ASKED us"],
      answers.map { answer in
        [
          answer.key.map { String($0.prefix(12)) } ?? "-", answer.name ?? "-",
          answer.status.rawValue, answer.verdict?.rawValue ?? "-",
          answer.revision.map(String.init) ?? "-", optional(answer.kernelMicroseconds),
          optional(answer.speedup, digits: 2, suffix: "x"), share(answer.rooflineFraction),
          number(answer.latencyMicroseconds),
        ]
      })
  }

  static func entries(_ entries: [EntrySummary]) -> String {
    table(
      ["KEY", "NAME", "VERDICT", "REV", "SIZE", "SPEEDUP", "USES", "KEPT BY"],
      entries.map { entry in
        [
          String(entry.key.prefix(12)), entry.name, entry.verdict.rawValue,
          String(entry.revision), bytes(entry.bytes),
          optional(entry.speedup, digits: 2, suffix: "x"), String(entry.uses),
          (entry.protection ?? []).joined(separator: ","),
        ]
      })
  }

  static func statistics(_ statistics: Statistics) -> String {
    statistics.table.map { row in
      let value =
        row.name.contains("bytes") ? bytes(Int(row.value)) : number(row.value, digits: 0)
      return "\(row.help): \(value)"
    }.joined(separator: "\n")
  }

  static func progress(_ event: TuneEvent) -> String {
    "\(event.state.rawValue)  best \(optional(event.bestSpeedup, digits: 2, suffix: "x"))"
      + " (\(optional(event.bestMicroseconds)) us, roofline \(share(event.rooflineFraction)))"
      + "  \(event.candidates) candidates, \(number(event.candidatesPerSecond)) a second"
      + "  \(number(event.secondsLeft, digits: 0)) s left"
  }

  static func explanation(_ explanation: Explanation) -> String {
    var lines: [String] = []
    if let request = explanation.request {
      lines.append(
        "request \(request.request): \(request.outcome) in "
          + "\(number(request.latencyMicroseconds)) us")
    }
    if !explanation.key.isEmpty { lines += [explanation.name, "key \(explanation.key)"] }
    lines += explanation.reasons
    lines += explanation.parts.map { "  \($0.name): \($0.value)" }
    if let nearest = explanation.nearest {
      lines.append("nearest entry: \(nearest.name) (\(nearest.key.prefix(12)))")
      for difference in nearest.differences {
        lines += ["  \(difference.part)", "    - \(difference.there)", "    + \(difference.here)"]
      }
    }
    if let detail = explanation.detail { lines.append(self.detail(detail)) }
    for page in explanation.advice ?? [] { lines += ["", page.title, page.text] }
    return lines.joined(separator: "\n")
  }

  static func activity(_ activity: Activity) -> String {
    let statistics = activity.statistics
    var lines = [
      "\(number(activity.requestsPerSecond)) requests a second, \(share(activity.hitRate)) hits, "
        + "\(number(activity.candidatesPerSecond)) candidates a second",
      "\(statistics.entries) entries, \(bytes(statistics.bytesCompressed)) on disk, "
        + "\(bytes(statistics.hotSetBytes)) in the hot set, "
        + "\(statistics.connections) connections, "
        + "up \(number(statistics.uptimeSeconds, digits: 0)) s",
      "\(statistics.searchesRunning) searches run, \(statistics.searchesQueued) wait",
    ]
    if !activity.searches.isEmpty {
      lines.append(
        table(
          ["KEY", "NAME", "SEARCH", "CANDIDATES", "A SECOND", "BEST", "ROOFLINE", "LEFT s"],
          activity.searches.map { search in
            [
              String(search.key.prefix(12)), search.name ?? "-", search.state.rawValue,
              String(search.candidates), number(search.candidatesPerSecond),
              optional(search.bestSpeedup, digits: 2, suffix: "x"),
              share(search.rooflineFraction), number(search.secondsLeft, digits: 0),
            ]
          }))
    }
    return lines.joined(separator: "\n")
  }

  static func verification(_ report: VerifyReport) -> String {
    let counts =
      "\(report.blobsChecked) blobs, \(report.revisionsChecked) revisions: "
      + "\(report.blobsDamaged) blobs damaged, \(report.blobsMissing) missing, "
      + "\(report.revisionsDamaged) revisions damaged, \(report.recordsDamaged) records damaged"
    let index =
      report.indexSound ? "" : "; the index is damaged: restart the daemon, which rebuilds it"
    let end =
      report.sound
      ? "; all is sound" : report.repaired ? "; repaired" : "; --repair restores or removes them"
    let aside = report.quarantined.map { "\n  in quarantine: \($0.name.prefix(20)): \($0.reason)" }
    return counts + index + end + aside.joined()
  }

  static func detail(_ detail: KernelDetail) -> String {
    var lines = [entries([detail.entry]), "spec: \(detail.spec)"]
    if let evidence = detail.evidence {
      lines.append("toolchain: \(evidence.toolchain)")
      let worst = evidence.checks.map(\.worstErrorOverTolerance).max()
      lines.append(
        "checks: \(evidence.checks.count), largest error \(share(worst)) of what is allowed")
      if let timing = evidence.timing {
        lines.append(
          "speedup \(number(timing.speedup, digits: 2))x"
            + " (at least \(number(timing.speedupLowerBound, digits: 2))x with 95 % confidence)"
            + " over \(timing.kernelNanoseconds.count) paired calls")
      }
    }
    lines += (detail.evidence?.buckets ?? []).map(bucket)
    if let termination = detail.termination {
      lines.append("search: \(detail.candidates) candidates, ended because: \(termination)")
    }
    for ancestor in detail.lineage {
      lines.append(
        "  #\(ancestor.id) \(ancestor.proposer) of \(ancestor.parents)"
          + " fitness \(number(ancestor.fitness, digits: 3)): \(ancestor.summary)")
    }
    return lines.joined(separator: "\n")
  }

  /// What was measured in one part of a family's sizes.
  static func bucket(_ bucket: Evidence.Bucket) -> String {
    let ranges = zip(bucket.lower, bucket.upper).map { "\($0)...\($1)" }.joined(separator: " x ")
    let timing = bucket.timing.map { timing in
      ": \(number(timing.speedup, digits: 2))x, at least "
        + "\(number(timing.speedupLowerBound, digits: 2))x"
    }
    return "bucket \(ranges): \(bucket.reason)\(timing ?? "")"
  }

  static func hardware(_ report: HardwareReport) -> String {
    var lines = [
      "\(report.model) (\(report.architecture)), \(report.threads) threads, \(report.libc)",
      "vectors: \(report.vectorRegisters) of \(report.vectorBytes) bytes",
      "caches: \(report.cacheBytes.map(bytes).joined(separator: ", "))",
      "identity: \(report.tuningIdentity)",
    ]
    for (dtype, rate) in (report.operationsPerSecond ?? [:]).sorted(by: { $0.key < $1.key }) {
      lines.append("\(dtype): \(number(rate / 1e9)) GFLOP/s")
    }
    if let rate = report.readBytesPerSecond { lines.append("read: \(number(rate / 1e9)) GB/s") }
    if let rate = report.copyBytesPerSecond { lines.append("copy: \(number(rate / 1e9)) GB/s") }
    return lines.joined(separator: "\n")
  }
}
