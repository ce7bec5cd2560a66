extension CheckedSpec {
  /// The spec in the text form: one line for each value that is used more than once, then the
  /// outputs.
  ///
  /// Reading and checking it gives an equal canonical form.
  package var textForm: String { TextForm(self).text }

  /// The canonical form as a spec, with the names of inputs kept.
  package var spec: Spec {
    let names = TextForm.inputNames(inputs)
    func reference(_ value: Value) -> Spec.Reference {
      switch value {
      case .input(let position): Spec.Reference(names[position])
      case .node(let position, let result): Spec.Reference("_\(position)", result: result)
      }
    }
    return Spec(
      name: name,
      inputs: inputs.indices.map { .init(name: names[$0], type: inputs[$0].type) },
      nodes: nodes.indices.map { position in
        .init(
          id: "_\(position)", op: nodes[position].op,
          arguments: nodes[position].arguments.values.mapValues { $0.written(reference) })
      },
      outputs: outputs.map(reference), numerics: numerics)
  }
}

extension CheckedSpec.Argument {
  fileprivate func written(_ reference: (CheckedSpec.Value) -> Spec.Reference) -> Spec.Argument {
    switch self {
    case .tensor(let value): .reference(reference(value))
    case .tensors(let values):
      .list(values.map { $0.map { .reference(reference($0)) } ?? Spec.Argument.none })
    case .integer(let value): .integer(Int64(value))
    case .integers(let values): .list(values.map { .integer(Int64($0)) })
    case .scalar(.integer(let value)): .integer(value)
    case .scalar(.real(let value)): .real(value)
    case .scalar(.boolean(let value)), .boolean(let value): .boolean(value)
    case .booleans(let values): .list(values.map(Spec.Argument.boolean))
    case .reals(let values): .list(values.map(Spec.Argument.real))
    case .string(let value): .string(value)
    case .dtype(let value): .string(value.rawValue)
    case .none: Spec.Argument.none
    }
  }
}

/// Writes one checked spec in the text form.
struct TextForm {
  /// Applications within applications, so that lines stay readable.
  private static let maximumHeight = 6

  private let spec: CheckedSpec
  private let names: [String]
  private let isInline: [Bool]
  private var declared: [Int] = []
  private(set) var text = ""

  init(_ spec: CheckedSpec) {
    self.spec = spec
    names = Self.inputNames(spec.inputs)
    isInline = Self.inline(spec)
    let body = rendered()
    if declared == Array(spec.inputs.indices) {
      text = body
    } else {
      // The order of inputs is part of the meaning: here it is not that of their first uses.
      declared = Array(spec.inputs.indices)
      let declarations = declared.map { "\(names[$0]): \(spec.inputs[$0].type);\n" }
      text = declarations.joined() + rendered()
    }
  }

  private mutating func rendered() -> String {
    var lines = ""
    for position in spec.nodes.indices where !isInline[position] {
      lines += "_\(position) = \(application(spec.nodes[position]));\n"
    }
    var outputs: [String] = []
    for output in spec.outputs { outputs.append(value(output)) }
    let list = outputs.joined(separator: ", ")
    return lines + (outputs.count == 1 ? list : "(\(list))") + numerics
  }

  /// Whether each node is written where it is used: it is used once, and not too much is within it.
  private static func inline(_ spec: CheckedSpec) -> [Bool] {
    let uses = uses(spec)
    var heights: [Int] = []
    return spec.nodes.indices.map { position in
      let operands = spec.nodes[position].arguments.values.values.flatMap(\.tensorValues)
      let height = operands.map {
        if case .node(let operand, _) = $0 { heights[operand] } else { 0 }
      }.max()
      heights.append(1 + (height ?? 0))
      guard uses[position] == 1, heights[position] <= maximumHeight else {
        heights[position] = 0
        return false
      }
      return true
    }
  }

  private var numerics: String {
    let parts = [("rtol", spec.numerics.rtol), ("atol", spec.numerics.atol)].compactMap {
      name, value in value.map { "\(name): \($0)" }
    }
    return parts.isEmpty ? "" : " with \(parts.joined(separator: ", "))"
  }

  /// How often each node is used, by nodes and as an output.
  private static func uses(_ spec: CheckedSpec) -> [Int: Int] {
    var counts: [Int: Int] = [:]
    let values = spec.nodes.flatMap { $0.arguments.values.values.flatMap(\.tensorValues) }
    for case .node(let position, _) in values + spec.outputs { counts[position, default: 0] += 1 }
    return counts
  }

  private mutating func value(_ value: CheckedSpec.Value) -> String {
    switch value {
    case .input(let position):
      if declared.contains(position) { return names[position] }
      declared.append(position)
      return "\(names[position]): \(spec.inputs[position].type)"
    case .node(let position, let result):
      let text = isInline[position] ? application(spec.nodes[position]) : "_\(position)"
      return result == 0 ? text : "\(text)#\(result)"
    }
  }

  /// Tensors without keyword where their order says which they are, everything else with one.
  private mutating func application(_ node: CheckedSpec.Node) -> String {
    let schema = OperatorTable.find(node.op)?.schema
    var arguments: [String] = []
    var isPositional = true
    for parameter in schema?.parameters ?? [] where parameter.type.kind != .placement {
      let argument = node.arguments[parameter.name]
      if case .tensor(let value) = argument, isPositional {
        arguments.append(self.value(value))
        continue
      }
      if parameter.type.kind == .tensor { isPositional = false }
      let written = parameter.defaultValue.map { isDefault($0, argument) } ?? (argument == .none)
      if !written { arguments.append("\(parameter.name): \(literal(argument))") }
    }
    let name = node.op.hasPrefix("aten.") ? String(node.op.dropFirst(5)) : node.op
    let short = name.hasSuffix(".default") ? String(name.dropLast(8)) : name
    return "\(short)(\(arguments.joined(separator: ", ")))"
  }

  private func isDefault(_ value: Spec.Argument, _ argument: CheckedSpec.Argument) -> Bool {
    switch (value, argument) {
    case (.none, .none): true
    case (.boolean(let one), .boolean(let two)): one == two
    case (.string(let one), .string(let two)): one == two
    default: false
    }
  }

  private mutating func literal(_ argument: CheckedSpec.Argument) -> String {
    switch argument {
    case .tensor(let value): return self.value(value)
    case .tensors(let values):
      var elements: [String] = []
      for value in values { elements.append(value.map { self.value($0) } ?? "none") }
      return "[\(elements.joined(separator: ", "))]"
    case .integers(let values): return "[\(values.map(String.init).joined(separator: ", "))]"
    case .integer(let value): return "\(value)"
    case .scalar(.integer(let value)): return "\(value)"
    case .scalar(.real(let value)): return Self.real(value)
    case .reals(let values): return "[\(values.map(Self.real).joined(separator: ", "))]"
    case .scalar(.boolean(let value)), .boolean(let value): return "\(value)"
    case .booleans(let values): return "[\(values.map { "\($0)" }.joined(separator: ", "))]"
    case .string(let value): return "\"\(value)\""
    case .dtype(let value): return value.rawValue
    case .none: return "none"
    }
  }

  private static func real(_ value: Double) -> String {
    value.isNaN ? "nan" : value.isInfinite ? (value < 0 ? "-inf" : "inf") : "\(value)"
  }

  /// Names that can stand in the text form: those of the caller where possible.
  static func inputNames(_ inputs: [Spec.Input]) -> [String] {
    var taken: Set<String> = []
    return inputs.enumerated().map { position, input in
      let bytes = Array(input.name.utf8)
      let isWord =
        bytes.first.map { TextLexer.isWordStart($0) && $0 != UInt8(ascii: "_") } ?? false
      let isUsable =
        isWord && bytes.allSatisfy(TextLexer.isWordPart)
        && !TextParser.reserved.contains(input.name) && DType(writtenAs: input.name) == nil
      let name = isUsable ? input.name : "x\(position)"
      if taken.insert(name).inserted { return name }
      var number = position
      while !taken.insert("x\(number)_").inserted { number += 1 }
      return "x\(number)_"
    }
  }
}
