package import ArgumentParser
import DaemonAPI
import KernelSpec

/// `granary spec check`: whether specs are right, and what they are.
package struct SpecCheckCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check specs: names, operators, types and limits.")

  @Argument(help: "Files, '-', or specs in the text form.")
  var specs: [String]

  @Flag(help: "Print an array with one object a spec.")
  var json = false

  package init() {}

  package func run() throws {
    try CommandFailure.reporting(json: json) {
      var checked: [CheckedSpec] = []
      for spec in specs {
        for source in try SpecSource.read(spec) { checked.append(try source.checked()) }
      }
      Terminal.say(json ? Self.json(checked) : checked.map(Self.line).joined(separator: "\n"))
    }
  }

  /// One line for people: the name, the number of nodes, and the types.
  static func line(_ spec: CheckedSpec) -> String {
    let inputs = spec.inputs.map { "\($0.name): \($0.type)" }.joined(separator: ", ")
    let outputs = spec.outputs.map { spec.type(of: $0).description }.joined(separator: ", ")
    let nodes = "\(spec.nodes.count) node\(spec.nodes.count == 1 ? "" : "s")"
    return "\(spec.name): \(nodes), (\(inputs)) -> \(outputs)"
  }

  static func json(_ specs: [CheckedSpec]) -> String {
    let objects = specs.map { spec in
      let inputs = spec.inputs.map {
        "{\"name\":\(JSONText.string($0.name)),\"type\":\"\($0.type)\"}"
      }
      let outputs = spec.outputs.map { "\"\(spec.type(of: $0))\"" }
      return """
        {"name":\(JSONText.string(spec.name)),"nodes":\(spec.nodes.count),\
        "inputs":[\(inputs.joined(separator: ","))],"outputs":[\(outputs.joined(separator: ","))]}
        """
    }
    return "[\(objects.joined(separator: ",\n"))]"
  }
}
