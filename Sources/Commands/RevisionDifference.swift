import DaemonAPI
import KernelSpec

/// In what two revisions of an entry differ.
struct RevisionDifference: Encodable, Equatable {
  struct Field: Encodable, Equatable {
    var name: String
    var before: String
    var after: String
  }

  var before: Int
  var after: Int
  var fields: [Field]
  /// The lines of the sources, with `-` before those that went, `+` before those that came, and a space before the
  /// others.
  var source: [String]

  init(_ old: RevisionSummary, _ new: RevisionSummary) {
    before = old.number
    after = new.number
    let values: [(String, (RevisionSummary) -> String)] = [
      ("verdict", { $0.verdict.rawValue }), ("artifact", { $0.artifact }),
      ("toolchain", { $0.toolchain }),
      ("speedup", { Format.optional($0.speedup, digits: 2, suffix: "x") }),
      ("time us", { Format.optional($0.kernelMicroseconds) }),
      ("origin", { $0.origin ?? "here" }), ("withdrawn", { $0.withdrawn ?? "no" }),
      ("generator", { $0.provenance?.generator ?? "-" }),
      ("kernel", { $0.provenance?.kernel ?? "-" }),
      ("microcode", { $0.provenance?.microcode ?? "-" }),
    ]
    fields = values.compactMap { name, value in
      value(old) == value(new) ? nil : Field(name: name, before: value(old), after: value(new))
    }
    source = Self.lines(old.source ?? "", new.source ?? "")
  }

  /// Compares texts by lines. Source: Swift's `CollectionDifference`, after Myers (1986).
  private static func lines(_ old: String, _ new: String) -> [String] {
    if old == new { return [] }
    let (before, after) = (
      old.split(separator: "\n", omittingEmptySubsequences: false),
      new.split(separator: "\n", omittingEmptySubsequences: false)
    )
    let difference = after.difference(from: before)
    let gone = Set(
      difference.removals.compactMap { if case .remove(let at, _, _) = $0 { at } else { nil } })
    let come = Set(
      difference.insertions.compactMap { if case .insert(let at, _, _) = $0 { at } else { nil } })
    var result: [String] = []
    var (left, right) = (0, 0)
    while left < before.count || right < after.count {
      if gone.contains(left) {
        result.append("-" + before[left])
        left += 1
      } else if come.contains(right) {
        result.append("+" + after[right])
        right += 1
      } else if left < before.count, right < after.count {
        result.append(" " + before[left])
        left += 1
        right += 1
      } else {
        break
      }
    }
    return result
  }

  var text: String {
    if fields.isEmpty, source.isEmpty { return "revisions \(before) and \(after) are alike" }
    let table = fields.flatMap { ["\($0.name)", "  - \($0.before)", "  + \($0.after)"] }
    return (["--- revision \(before)", "+++ revision \(after)"] + table + source)
      .joined(separator: "\n")
  }
}
