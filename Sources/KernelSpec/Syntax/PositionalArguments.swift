/// Gives names to arguments that were written without.
enum PositionalArguments {
  /// The operator with the overload that takes the arguments, and the arguments by name.
  ///
  /// Tensors fill the next parameters that are tensors; other values the next that take their kind.
  /// - Throws: `SpecError` that lists what was tried.
  static func bind(
    _ written: String, _ positional: [Spec.Argument], _ keywords: [String: Spec.Argument]
  ) throws(SpecError) -> (name: String, arguments: [String: Spec.Argument]) {
    var failures: [String] = []
    var last: SpecError?
    for operation in try OperatorTable.candidates(written) {
      do {
        let arguments = try named(operation, positional, keywords)
        let binding = ArgumentBinding(operation: operation) { _ in .input(0) }
        _ = try binding.bind(arguments)
        return (operation.schema.fullName, arguments)
      } catch {
        failures.append("\(operation.schema.fullName): \(error.description)")
        last = error
      }
    }
    if failures.count == 1, let last { throw last.within(written) }
    throw SpecError(
      .unknownOperator, "no overload of \(written) fits the arguments",
      expected: failures.joined(separator: " | "))
  }

  private static func named(
    _ operation: Operator, _ positional: [Spec.Argument], _ keywords: [String: Spec.Argument]
  ) throws(SpecError) -> [String: Spec.Argument] {
    var arguments = keywords
    let parameters = operation.schema.parameters
    // Never backwards: `pow(x, 2)` must not become the power of 2 that fits the types.
    var first = 0
    for argument in positional {
      let place = parameters.indices.dropFirst(first).first {
        takes(operation, parameters[$0], argument, arguments[parameters[$0].name])
      }
      guard let place else {
        throw SpecError(
          .argument, "\(argument.words) has no place", expected: operation.schema.text)
      }
      let parameter = parameters[place]
      let isGathered = parameter.type.isList && !argument.references.isEmpty
      if isGathered, case .reference = argument {
        // Tensors one after the other make up a list, as in `cat(x, y)`.
        var elements: [Spec.Argument] = []
        if case .list(let earlier)? = arguments[parameter.name] { elements = earlier }
        arguments[parameter.name] = .list(elements + [argument])
        first = place
      } else {
        arguments[parameter.name] = argument
        first = place + 1
      }
    }
    return arguments
  }

  private static func takes(
    _ operation: Operator, _ parameter: OperatorSchema.Parameter, _ argument: Spec.Argument,
    _ current: Spec.Argument?
  ) -> Bool {
    let isTensor = parameter.type.kind == .tensor
    let isOpen = current == nil
    switch argument {
    case .reference:
      if isTensor, parameter.type.isList, case .list? = current { return true }
      return isTensor && isOpen
    case .list(let elements):
      let areTensors = elements.contains { if case .reference = $0 { true } else { false } }
      return isOpen && parameter.type.isList && areTensors == isTensor
    case .integer, .real, .boolean, .string("inf"), .string("-inf"), .string("nan"):
      if isTensor { return isOpen && operation.numberParameters.contains(parameter.name) }
      return isOpen && parameter.type.kind != .placement
    case .string, .none: return isOpen && (!isTensor || argument == .none)
    }
  }
}
