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
    for argument in positional {
      let open = operation.schema.parameters.first {
        takes(operation, $0, argument, isOpen: arguments[$0.name] == nil, arguments[$0.name])
      }
      guard let open else {
        throw SpecError(
          .argument, "\(argument.words) has no place", expected: operation.schema.text)
      }
      if open.type.isList, open.type.kind == .tensor, case .reference = argument {
        // Tensors one after the other make up a list, as in `cat(x, y)`.
        guard case .list(let elements)? = arguments[open.name] else {
          arguments[open.name] = .list([argument])
          continue
        }
        arguments[open.name] = .list(elements + [argument])
      } else {
        arguments[open.name] = argument
      }
    }
    return arguments
  }

  private static func takes(
    _ operation: Operator, _ parameter: OperatorSchema.Parameter, _ argument: Spec.Argument,
    isOpen: Bool, _ current: Spec.Argument?
  ) -> Bool {
    let isTensor = parameter.type.kind == .tensor
    switch argument {
    case .reference:
      if isTensor, parameter.type.isList, case .list? = current { return true }
      return isTensor && isOpen
    case .list(let elements):
      let areTensors = elements.contains { if case .reference = $0 { true } else { false } }
      return isOpen && parameter.type.isList && areTensors == isTensor
    case .integer, .real, .boolean:
      if isTensor { return isOpen && operation.numberParameters.contains(parameter.name) }
      return isOpen && parameter.type.kind != .placement
    case .string, .none: return isOpen && (!isTensor || argument == .none)
    }
  }
}
