extension Spec {
  /// The canonical form.
  ///
  /// Resolves overloads, infers types, fills defaults, counts dimensions from the front, rewrites
  /// spellings that mean the same, shares equal nodes, removes dead ones and fixes the order.
  ///
  /// - Throws: `SpecError` naming the nodes at fault, but for those that use another's result; also for a spec that
  ///   leaves sizes open.
  package func checked() throws(SpecError) -> CheckedSpec {
    guard symbols.isEmpty else {
      throw SpecError(
        .type, "the spec leaves \(symbols.map(\.name).joined(separator: ", ")) open",
        expected: "a spec whose sizes are numbers")
    }
    var checker = try SpecChecker(self)
    try checker.applyNodes()
    return try checker.result()
  }
}

/// Checks one spec.
private struct SpecChecker {
  private let spec: Spec
  private var graph: GraphBuilder
  /// The results of each input and node by name; a node appears once it is checked.
  private var values: [String: [CheckedSpec.Value]] = [:]
  private var positions: [String: Int] = [:]
  private var faults: [SpecError] = []
  /// The nodes with a fault, and those that use one of them.
  private var unknown: Set<String> = []

  init(_ spec: Spec) throws(SpecError) {
    self.spec = spec
    graph = GraphBuilder(inputs: spec.inputs)
    try Self.checkCount(spec.inputs.count, SpecLimits.inputs, "inputs")
    try Self.checkCount(spec.nodes.count, SpecLimits.nodes, "nodes")
    try Self.checkCount(spec.outputs.count, SpecLimits.outputs, "outputs")
    guard !spec.outputs.isEmpty else {
      throw SpecError(.argument, "a spec without outputs", expected: "at least one output")
    }
    for (position, input) in spec.inputs.enumerated() {
      try declare(input.name, at: input.place)
      values[input.name] = [.input(position)]
      do {
        try SpecLimits.check(input.type.dtype, input.type.shape, strides: input.type.strides)
      } catch {
        throw spec.placed(error.within("input \(input.name)"), at: input.place)
      }
    }
    for (position, node) in spec.nodes.enumerated() {
      try declare(node.id, at: node.place)
      positions[node.id] = position
    }
  }

  private static func checkCount(_ count: Int, _ limit: Int, _ what: String) throws(SpecError) {
    guard count <= limit else {
      throw SpecError(.limit, "\(count) \(what)", expected: "at most \(limit)")
    }
  }

  private func declare(_ name: String, at place: SourcePlace) throws(SpecError) {
    do throws(SpecError) {
      try SpecLimits.check(name: name)
      guard values[name] == nil, positions[name] == nil else {
        throw SpecError(.name, "the name \(name) is given twice", expected: "unique names")
      }
    } catch {
      throw spec.placed(error, at: place)
    }
  }

  /// Checks every node after those that it uses, in whatever order they are written.
  mutating func applyNodes() throws(SpecError) {
    var isOpen = Set<Int>()
    for start in spec.nodes.indices {
      var stack = [start]
      while let position = stack.last {
        let node = spec.nodes[position]
        if values[node.id] != nil {
          stack.removeLast()
          continue
        }
        let waiting = dependencies(of: node)
        if waiting.isEmpty {
          apply(node)
          stack.removeLast()
          continue
        }
        guard isOpen.insert(position).inserted else {
          throw spec.placed(
            SpecError(.name, "node \(node.id) depends on itself"), at: node.place)
        }
        stack.append(contentsOf: waiting)
      }
    }
    if let fault = faults.joined { throw fault }
  }

  /// The nodes that `node` uses and that are not checked yet.
  private func dependencies(of node: Spec.Node) -> [Int] {
    node.arguments.sorted { $0.key < $1.key }.flatMap { $0.value.references }.compactMap {
      values[$0.name] == nil ? positions[$0.name] : nil
    }
  }

  private mutating func apply(_ node: Spec.Node) {
    guard
      !node.arguments.values.flatMap(\.references).contains(where: { unknown.contains($0.name) })
    else {
      values[node.id] = []
      unknown.insert(node.id)
      return
    }
    do {
      let (operation, arguments) = try OperatorTable.resolve(node.op, node.arguments, value)
      values[node.id] = try graph.apply(operation, arguments)
    } catch {
      faults.append(spec.placed(error.within("node \(node.id) (\(node.op))"), at: node.place))
      values[node.id] = []
      unknown.insert(node.id)
    }
  }

  private func value(_ reference: Spec.Reference) throws(SpecError) -> CheckedSpec.Value {
    guard let results = values[reference.name] else {
      throw spec.placed(
        SpecError(.name, "no value is named \(reference.name)"), at: reference.place)
    }
    guard results.indices.contains(reference.result) else {
      throw spec.placed(
        SpecError(
          .name, "%\(reference.name) has no result \(reference.result)",
          expected: "0 to \(results.count - 1)"), at: reference.place)
    }
    return results[reference.result]
  }

  func result() throws(SpecError) -> CheckedSpec {
    var outputs: [CheckedSpec.Value] = []
    for output in spec.outputs { outputs.append(try value(output)) }
    let ordered = CanonicalOrder(nodes: graph.nodes, outputs: outputs)
    let checked = CheckedSpec(
      inputs: spec.inputs, nodes: ordered.nodes, outputs: ordered.outputs,
      numerics: spec.numerics, name: spec.name ?? Self.label(ordered.nodes))
    return checked.withSimplestNumerics(try policy())
  }

  private func policy() throws(SpecError) -> NumericPolicy {
    for (name, value) in [("rtol", spec.numerics.rtol), ("atol", spec.numerics.atol)] {
      guard let value else { continue }
      guard value.isFinite, value >= 0 else {
        throw SpecError(.argument, "\(name) is \(value)", expected: "a number of at least 0")
      }
    }
    return spec.numerics
  }

  /// A description made from the operators.
  private static func label(_ nodes: [CheckedSpec.Node]) -> String {
    let names = nodes.map { OperatorName($0.op).base }
    let shown = names.prefix(4).joined(separator: "+")
    if names.isEmpty { return "identity" }
    return names.count > 4 ? "\(shown)+\(names.count - 4) more" : shown
  }
}

/// The nodes that outputs need, each after those that it uses, in the order in which a walk from
/// the outputs meets them.
private struct CanonicalOrder {
  private(set) var nodes: [CheckedSpec.Node] = []
  private(set) var outputs: [CheckedSpec.Value] = []
  private var places: [Int: Int] = [:]

  init(nodes given: [CheckedSpec.Node], outputs: [CheckedSpec.Value]) {
    for case .node(let start, _) in outputs {
      var stack = [start]
      while let position = stack.last {
        if places[position] != nil {
          stack.removeLast()
          continue
        }
        let waiting = Self.used(given[position]).filter { places[$0] == nil }
        guard !waiting.isEmpty else {
          append(given[position], from: position)
          stack.removeLast()
          continue
        }
        stack.append(contentsOf: waiting.reversed())
      }
    }
    self.outputs = outputs.map(moved)
  }

  private static func used(_ node: CheckedSpec.Node) -> [Int] {
    node.arguments.values.sorted { $0.key < $1.key }.flatMap { $0.value.tensorValues }
      .compactMap { if case .node(let position, _) = $0 { position } else { nil } }
  }

  private mutating func append(_ node: CheckedSpec.Node, from position: Int) {
    places[position] = nodes.count
    var copy = node
    copy.arguments.values = node.arguments.values.mapValues { argument in
      switch argument {
      case .tensor(let value): .tensor(moved(value))
      case .tensors(let values): .tensors(values.map { $0.map(moved) })
      default: argument
      }
    }
    nodes.append(copy)
  }

  private func moved(_ value: CheckedSpec.Value) -> CheckedSpec.Value {
    guard case .node(let position, let result) = value else { return value }
    return .node(places[position] ?? position, result: result)
  }
}

extension CheckedSpec {
  /// The same spec with `policy`, or with none where it says what holds anyway.
  fileprivate func withSimplestNumerics(_ policy: NumericPolicy) -> CheckedSpec {
    func tolerances(_ policy: NumericPolicy) -> [[Double]] {
      outputs.map {
        let (relative, absolute) = policy.tolerances(for: type(of: $0).dtype)
        return [relative, absolute]
      }
    }
    var copy = self
    copy.numerics = NumericPolicy()
    for candidate in [
      NumericPolicy(), NumericPolicy(rtol: policy.rtol), NumericPolicy(atol: policy.atol), policy,
    ] where tolerances(candidate) == tolerances(policy) {
      copy.numerics = candidate
      break
    }
    return copy
  }
}

extension Spec.Argument {
  /// The references in the argument, in order.
  var references: [Spec.Reference] {
    switch self {
    case .reference(let reference): [reference]
    case .list(let elements): elements.flatMap(\.references)
    default: []
    }
  }
}
