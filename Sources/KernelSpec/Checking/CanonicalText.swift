/// The canonical JSON of checked specs: compact, keys sorted, values numbered.
///
/// It is a spec in the JSON form, whose canonical form is itself. It never contains a name.
enum CanonicalText {
  /// - Parameter results: whether the types of results are written, which nodes and inputs imply.
  static func spec(_ spec: CheckedSpec, numerics: Bool, results: Bool = true) -> String {
    let first = spec.inputs.count
    func reference(_ value: CheckedSpec.Value) -> String {
      switch value {
      case .input(let position): "\(position)"
      case .node(let position, let result):
        result == 0 ? "\(first + position)" : "\(first + position)#\(result)"
      }
    }
    let inputs = spec.inputs.indices.map {
      "{\"name\":\"\($0)\",\"type\":\"\(spec.inputs[$0].type)\"}"
    }
    let nodes = spec.nodes.indices.map {
      node(spec.nodes[$0], id: "\(first + $0)", results: results, reference: reference)
    }
    let outputs = spec.outputs.map { "\"%\(reference($0))\"" }
    let policy = numerics ? policy(spec.numerics).map { "\"numerics\":\($0)," } ?? "" : ""
    return """
      {"granary_spec":1,"inputs":[\(inputs.joined(separator: ","))],\
      "nodes":[\(nodes.joined(separator: ","))],\(policy)\
      "outputs":[\(outputs.joined(separator: ","))]}
      """
  }

  /// - Returns: `nil` for the defaults.
  static func policy(_ policy: NumericPolicy) -> String? {
    let parts = [("atol", policy.atol), ("rtol", policy.rtol)].compactMap { name, value in
      value.map { "\"\(name)\":\(real($0))" }
    }
    return parts.isEmpty ? nil : "{\(parts.joined(separator: ","))}"
  }

  static func node(
    _ node: CheckedSpec.Node, id: String?, results: Bool = true,
    reference: (CheckedSpec.Value) -> String
  ) -> String {
    let arguments = node.arguments.values.sorted { $0.key < $1.key }.map {
      "\"\($0.key)\":\(argument($0.value, reference))"
    }
    let identity = id.map { "\"id\":\"\($0)\"," } ?? ""
    let types = node.results.map { "\"\($0)\"" }.joined(separator: ",")
    return """
      {"args":{\(arguments.joined(separator: ","))},\(identity)"op":"\(node.op)"\
      \(results ? ",\"results\":[\(types)]" : "")}
      """
  }

  private static func argument(
    _ argument: CheckedSpec.Argument, _ reference: (CheckedSpec.Value) -> String
  ) -> String {
    func list(_ elements: [String]) -> String { "[\(elements.joined(separator: ","))]" }
    return switch argument {
    case .tensor(let value): "\"%\(reference(value))\""
    case .tensors(let values): list(values.map { $0.map { "\"%\(reference($0))\"" } ?? "null" })
    case .integer(let value): "\(value)"
    case .integers(let values): list(values.map(String.init))
    case .scalar(.integer(let value)): "\(value)"
    case .scalar(.real(let value)): real(value)
    case .scalar(.boolean(let value)), .boolean(let value): "\(value)"
    case .booleans(let values): list(values.map { "\($0)" })
    case .reals(let values): list(values.map(real))
    case .string(let value): JSONText.string(value)
    case .dtype(let value): "\"\(value.rawValue)\""
    case .none: "null"
    }
  }

  static func real(_ value: Double) -> String { JSONText.real(value) }
}

/// How values are written in JSON.
package enum JSONText {
  /// The shortest text that reads as the same number; a string when not finite.
  package static func real(_ value: Double) -> String {
    if value.isNaN { return "\"nan\"" }
    if value.isInfinite { return value < 0 ? "\"-inf\"" : "\"inf\"" }
    return "\(value)"
  }

  package static func string(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}

extension CheckedSpec {
  /// The canonical JSON of the whole spec, with its numeric policy when it is not the default.
  package var canonicalText: String { CanonicalText.spec(self, numerics: true) }

  /// The canonical JSON of the graph alone.
  package var canonicalGraph: String { CanonicalText.spec(self, numerics: false) }
}
