extension Spec {
  /// The spec in the JSON form, one input, node and output a line.
  ///
  /// Reading it gives an equal spec.
  public func formatJSON() -> String {
    var members = ["\"granary_spec\": 1"]
    if let name { members.append("\"name\": \(JSONText.string(name))") }
    let inputs = inputs.map {
      "{\"name\": \(JSONText.string($0.name)), \"type\": \"\($0.type)\"}"
    }
    members.append("\"inputs\": \(Self.lines(inputs))")
    members.append("\"nodes\": \(Self.lines(nodes.map(\.json)))")
    members.append("\"outputs\": [\(outputs.map(\.json).joined(separator: ", "))]")
    if let policy = CanonicalText.policy(numerics) { members.append("\"numerics\": \(policy)") }
    return "{\n  \(members.joined(separator: ",\n  "))\n}"
  }

  private static func lines(_ elements: [String]) -> String {
    elements.isEmpty ? "[]" : "[\n    \(elements.joined(separator: ",\n    "))\n  ]"
  }
}

extension Spec.Reference {
  fileprivate var json: String {
    JSONText.string(result == 0 ? "%\(name)" : "%\(name)#\(result)")
  }
}

extension Spec.Node {
  fileprivate var json: String {
    let arguments = arguments.sorted { $0.key < $1.key }.map {
      "\(JSONText.string($0.key)): \($0.value.json)"
    }
    return """
      {"id": \(JSONText.string(id)), "op": \(JSONText.string(op)), \
      "args": {\(arguments.joined(separator: ", "))}}
      """
  }
}

extension Spec.Argument {
  fileprivate var json: String {
    switch self {
    case .reference(let reference): reference.json
    case .integer(let value): "\(value)"
    case .real(let value): JSONText.real(value)
    case .boolean(let value): "\(value)"
    case .string(let value): JSONText.string(value)
    case .list(let elements): "[\(elements.map(\.json).joined(separator: ", "))]"
    case .none: "null"
    }
  }
}
