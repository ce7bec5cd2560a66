package import ArgumentParser
import DaemonAPI
import KernelSpec

/// `granary spec diff`: which parts of the keys of two specs differ.
package struct SpecDiffCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "diff", abstract: "Compare the keys of two specs, part by part.")

  @Argument(help: "A file, '-', or a spec in the text form.")
  var first: String

  @Argument(help: "What to compare it with.")
  var second: String

  @Flag(help: "Print an object with the differing parts.")
  var json = false

  package init() {}

  package func run() throws {
    try CommandFailure.reporting(json: json) {
      let (one, two) = (try SpecSource.one(first), try SpecSource.one(second))
      let key = try one.checked().key(hardware: "")
      let other = try two.checked().key(hardware: "")
      Terminal.say(Self.report(key.differences(from: other), json: json))
    }
  }

  static func report(_ differences: [KernelKey.Difference], json: Bool) -> String {
    if json {
      let parts = differences.map { difference in
        let own = difference.own.map(JSONText.string) ?? "null"
        let other = difference.other.map(JSONText.string) ?? "null"
        return "\"\(difference.name)\":[\(own),\(other)]"
      }
      return "{\"equal\":\(differences.isEmpty),\"parts\":{\(parts.joined(separator: ","))}}"
    }
    if differences.isEmpty { return "equal: both specs have the same key" }
    return differences.map { difference in
      "\(difference.name)\n  - \(difference.own ?? "")\n  + \(difference.other ?? "")"
    }.joined(separator: "\n")
  }
}
