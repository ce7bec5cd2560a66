/// The graph while it is checked: equal nodes are one node, and names are gone.
package struct GraphBuilder {
  private(set) var inputs: [Spec.Input]
  private(set) var nodes: [CheckedSpec.Node] = []
  /// Identifies each node by what it computes, whatever the order and names in which it was
  /// written.
  private var digests: [Digest] = []
  private var known: [String: Int] = [:]

  init(inputs: [Spec.Input]) { self.inputs = inputs }

  func type(of value: CheckedSpec.Value) -> TensorType {
    switch value {
    case .input(let position): inputs[position].type
    case .node(let position, let result): nodes[position].results[result]
    }
  }

  /// Applies the overload `fullName`, leaving out arguments that it does not have.
  mutating func add(_ fullName: String, _ arguments: [String: CheckedSpec.Argument])
    throws(SpecError) -> [CheckedSpec.Value]
  {
    guard let operation = OperatorTable.find(fullName) else {
      throw SpecError(.unknownOperator, "there is no operator \(fullName)")
    }
    let binding = ArgumentBinding(operation: operation) {
      (reference: Spec.Reference) throws(SpecError) in
      throw SpecError(.name, "an unexpected use of \(reference.name)")
    }
    return try apply(operation, try binding.complete(arguments))
  }

  /// Applies an operator to complete arguments.
  mutating func apply(_ operation: Operator, _ arguments: [String: CheckedSpec.Argument])
    throws(SpecError) -> [CheckedSpec.Value]
  {
    var types: [CheckedSpec.Value: TensorType] = [:]
    for value in arguments.values.flatMap(\.tensorValues) { types[value] = type(of: value) }
    var call = OperatorCall(schema: operation.schema, arguments: arguments, types: types)
    switch operation.rule {
    case .composite(let expand): return try expand(&call, &self)
    case .primitive(let infer):
      let results = try infer(&call)
      guard results.count <= SpecLimits.listElements else {
        throw SpecError(.limit, "\(results.count) results of one operator")
      }
      for result in results { try SpecLimits.check(result.dtype, result.shape) }
      if operation.isIdentity?(call, results) == true { return [try call.value("self")] }
      if let (name, arguments) = rewrittenProduct(call) { return try add(name, arguments) }
      call.normalizeNumbers(results)
      if let pair = operation.commutes { order(&call.arguments, pair) }
      return try insert(operation.schema.fullName, call.arguments, results)
    }
  }

  private mutating func insert(
    _ name: String, _ arguments: [String: CheckedSpec.Argument], _ results: [TensorType]
  ) throws(SpecError) -> [CheckedSpec.Value] {
    let node = CheckedSpec.Node(op: name, arguments: .init(arguments), results: results)
    // By text: a comparison of numbers would take -0.0 for 0.0 and NaN for unequal to itself.
    let identity = CanonicalText.node(node, id: nil, reference: reference)
    if let position = known[identity] {
      return results.indices.map { .node(position, result: $0) }
    }
    let position = nodes.count
    guard position < SpecLimits.nodes else {
      throw SpecError(.limit, "too many nodes", expected: "at most \(SpecLimits.nodes)")
    }
    known[identity] = position
    digests.append(Digest(of: Array(identity.utf8)))
    nodes.append(node)
    return results.indices.map { .node(position, result: $0) }
  }

  /// A name for a value that depends only on what it is.
  private func reference(_ value: CheckedSpec.Value) -> String {
    switch value {
    case .input(let position): "\(position)"
    case .node(let position, let result): "\(digests[position].hex)#\(result)"
    }
  }

  /// Puts the operands of a commutative operator in an order of their own: inputs, results,
  /// numbers.
  private func order(
    _ arguments: inout [String: CheckedSpec.Argument], _ pair: (String, String)
  ) {
    if case .scalar(let alpha)? = arguments["alpha"], alpha.double != 1 { return }
    func rank(_ argument: CheckedSpec.Argument?) -> (Int, Int, String) {
      switch argument {
      case .tensor(.input(let position)): (0, position, "")
      case .tensor(let value): (1, 0, reference(value))
      default: (2, 0, "")
      }
    }
    let (first, second) = (arguments[pair.0], arguments[pair.1])
    guard rank(second) < rank(first) else { return }
    arguments[pair.0] = second
    arguments[pair.1] = first
  }
}

extension OperatorCall {
  /// Writes numbers that mean the same in one way, and the dtype that is the result's anyway.
  mutating func normalizeNumbers(_ results: [TensorType]) {
    guard let result = results.first?.dtype else { return }
    if schema.parameters.contains(where: { $0.type.kind == .dtype }) {
      arguments["dtype"] = .dtype(result)
    }
    let operands = arguments.values.flatMap(\.tensorValues).compactMap { types[$0]?.dtype }
    let isReal =
      operands.isEmpty ? result.isFloatingPoint : operands.contains(where: \.isFloatingPoint)
    let isInteger = operands.isEmpty ? result.isInteger : operands.contains(where: \.isInteger)
    for (name, argument) in arguments {
      switch argument {
      case .scalar(.integer), .scalar(.boolean):
        if case .scalar(let number) = argument, isReal {
          arguments[name] = .scalar(.real(number.double))
        } else if case .scalar(.boolean(let flag)) = argument, isInteger {
          arguments[name] = .scalar(.integer(flag ? 1 : 0))
        }
      default: break
      }
    }
  }
}

extension CheckedSpec.Argument {
  /// The values that the argument uses, in order.
  package var tensorValues: [CheckedSpec.Value] {
    switch self {
    case .tensor(let value): [value]
    case .tensors(let values): values.compactMap { $0 }
    default: []
    }
  }
}
