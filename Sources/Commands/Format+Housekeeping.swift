import DaemonAPI
import FoundationEssentials
import KernelSpec

/// What operators of machines read.
extension Format {
  static func collection(_ report: CollectReport, dryRun: Bool) -> String {
    let verb = dryRun ? "would go" : "removed"
    return "\(report.entriesRemoved) entries, \(report.revisionsRemoved) old revisions, "
      + "\(report.blobsRemoved) blobs and \(report.searchesRemoved) searches \(verb), "
      + "\(bytes(report.bytesFreed)); \(report.entriesKept) entries kept, "
      + "\(report.entriesProtected) of them protected"
  }

  static func stale(_ report: StaleReport) -> String {
    let reasons = table(
      ["REASON", "ENTRIES", "MEANING"],
      report.reasons.map { [$0.reason, String($0.count), $0.meaning] })
    let total = "\(report.stale.count) of \(report.entries) entries are stale"
    if report.stale.isEmpty { return "\(reasons)\n\n\(total)" }
    let entries = table(
      ["KEY", "NAME", "REV", "LAST USED", "REASONS"],
      report.stale.map {
        [
          String($0.key.prefix(12)), $0.name, String($0.revision), day($0.lastUsed),
          $0.reasons.joined(separator: ","),
        ]
      })
    return "\(reasons)\n\n\(entries)\n\n\(total)"
  }

  static func evidence(_ reports: [EvidenceReport]) -> String {
    let passed = reports.count { $0.verdict == .passed }
    let failed = reports.count { $0.verdict == .failed }
    let rows = reports.map { report in
      [
        String(report.key.prefix(12)), report.name, report.revision.map(String.init) ?? "-",
        report.verdict.rawValue, String(report.elementsCompared), report.reason ?? "",
      ]
    }
    return table(["KEY", "NAME", "REV", "VERDICT", "ELEMENTS", "REASON"], rows)
      + "\n\n\(passed) passed, \(failed) failed and were withdrawn, "
      + "\(reports.count - passed - failed) cannot run here"
  }

  static func revisions(_ revisions: [RevisionSummary]) -> String {
    table(
      [
        "", "REV", "VERDICT", "TIME us", "SPEEDUP", "MADE", "VERIFIED", "ARTIFACT", "FROM", "STATE",
      ],
      revisions.map { revision in
        [
          revision.served ? "*" : "", String(revision.number), revision.verdict.rawValue,
          optional(revision.kernelMicroseconds),
          optional(revision.speedup, digits: 2, suffix: "x"), day(revision.created),
          revision.verified.map(day) ?? "-", String(revision.artifact.prefix(12)),
          revision.origin ?? "here",
          revision.withdrawn.map { "withdrawn: \($0)" } ?? (revision.onTrial ? "on trial" : ""),
        ]
      })
  }

  /// The day of a time in seconds since 1970, in UTC.
  static func day(_ seconds: Double) -> String {
    guard seconds.isFinite, abs(seconds) < 1e11 else { return "-" }
    return Date(timeIntervalSince1970: seconds).formatted(.iso8601.year().month().day())
  }
}

extension Format {
  static func locks(_ states: [LockState]) -> String {
    table(
      ["KEY", "NAME", "STATE", "LOCKED", "HERE"],
      states.map { [String($0.key.prefix(12)), $0.name ?? "-", $0.state, $0.locked, $0.here] })
  }
}
