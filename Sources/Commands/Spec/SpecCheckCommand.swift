package import ArgumentParser
import DaemonAPI
import DaemonClient
import KernelSpec

/// `granary spec check`: whether specs are right, and what they are.
package struct SpecCheckCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check specs: names, operators, types and limits.",
    discussion: """
      With --deep the daemon evaluates each spec and says which wrong answers a verification would not see: zeros,
      a constant, the answer to other inputs, and the answer to inputs with half of their digits.
      """)

  @Argument(help: "Files, '-', or specs in the text form.")
  var specs: [String]

  @Flag(help: "Say which wrong answers would pass for right.")
  var deep = false
  @OptionGroup var connection: ConnectionOptions

  package init() {}

  package func run() throws {
    let json = connection.json
    try CommandFailure.reporting(json: json) {
      var checked: [SpecContent] = []
      for spec in specs {
        for source in try SpecSource.read(spec) { checked.append(try source.checked()) }
      }
      if deep { return try examine(checked) }
      Terminal.say(json ? Self.json(checked) : checked.map(Self.line).joined(separator: "\n"))
    }
  }

  private func examine(_ specs: [SpecContent]) throws {
    for case .family(let family) in specs {
      throw ServiceError(
        .badSpec, "\(family.name) leaves sizes open; examine it at sizes of your choice")
    }
    let client = try connection.connect()
    var reports: [ExamineReport] = []
    for spec in specs {
      var report = try client.examine(spec: spec.canonicalText)
      report.name = spec.name
      reports.append(report)
      if !connection.json { Terminal.say(Self.line(spec) + "\n" + Self.lines(report)) }
    }
    if connection.json { try Terminal.say(json: reports) }
  }

  /// What verification tells from a right answer, for people.
  static func lines(_ report: ExamineReport) -> String {
    let unseen = report.findings.filter(\.seenOn.isEmpty).map { finding in
      "  output \(finding.output): \(description(of: finding.answer)) would pass for right"
    }
    guard unseen.isEmpty else { return unseen.joined(separator: "\n") }
    let kinds = report.findings.map(\.answer).reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    return "  wrong answers are seen: \(kinds.map(description).joined(separator: ", "))"
  }

  private static func description(of answer: String) -> String {
    switch answer {
    case "zeros": "zeros"
    case "constant": "a constant"
    case "stale": "the answer to other inputs"
    case "narrow": "the answer to inputs with half of their digits"
    default: answer
    }
  }

  /// One line for people: the name, the number of nodes, and the types.
  static func line(_ content: SpecContent) -> String {
    let facts = Facts(content)
    let inputs = facts.inputs.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    let nodes = facts.nodes.map { "\($0) node\($0 == 1 ? "" : "s"), " } ?? ""
    return
      "\(content.name): \(nodes)\(facts.sizes)(\(inputs)) -> \(facts.outputs.joined(separator: ", "))"
  }

  /// What is said of a spec or family.
  private struct Facts {
    var inputs: [(name: String, type: String)]
    var outputs: [String]
    /// `nil` for a family, whose instances have them.
    var nodes: Int?
    /// The open sizes, with a space behind; empty for a spec.
    var sizes = ""

    init(_ content: SpecContent) {
      switch content {
      case .spec(let spec):
        inputs = spec.inputs.map { ($0.name, $0.type.description) }
        outputs = spec.outputs.map { spec.type(of: $0).description }
        nodes = spec.nodes.count
      case .family(let family):
        let name = { family.symbols[$0].name }
        inputs = family.inputs.map { ($0.name, $0.type.text(name)) }
        outputs = family.outputs.map { $0.text(name) }
        sizes = family.symbols.map { "\($0.name) in \($0.rangeText), " }.joined()
      }
    }
  }

  static func json(_ contents: [SpecContent]) -> String {
    let objects = contents.map { content in
      let facts = Facts(content)
      let inputs = facts.inputs.map {
        "{\"name\":\(JSONText.string($0.name)),\"type\":\"\($0.type)\"}"
      }
      let outputs = facts.outputs.map { "\"\($0)\"" }
      let nodes = facts.nodes.map { "\"nodes\":\($0)," } ?? ""
      return """
        {"name":\(JSONText.string(content.name)),\(nodes)\
        "inputs":[\(inputs.joined(separator: ","))],"outputs":[\(outputs.joined(separator: ","))]}
        """
    }
    return "[\(objects.joined(separator: ",\n"))]"
  }
}
