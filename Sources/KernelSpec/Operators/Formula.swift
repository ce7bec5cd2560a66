/// Composites as formulas: operators applied to tensors and numbers.
extension GraphBuilder {
  typealias Term = CheckedSpec.Argument

  mutating func unary(_ name: String, _ operand: Term) throws(SpecError) -> Term {
    .tensor(try add("aten.\(name).default", ["self": operand])[0])
  }

  /// An operator with an overload `Tensor` that takes tensors and numbers.
  mutating func binary(_ name: String, _ first: Term, _ second: Term) throws(SpecError) -> Term {
    .tensor(try add("aten.\(name).Tensor", ["self": first, "other": second])[0])
  }

  mutating func choice(_ condition: Term, _ first: Term, _ second: Term) throws(SpecError) -> Term {
    let arguments = ["condition": condition, "self": first, "other": second]
    return .tensor(try add("aten.where.self", arguments)[0])
  }

  /// The larger of a tensor and a number.
  mutating func atLeast(_ minimum: Double, _ operand: Term) throws(SpecError) -> Term {
    let arguments = ["self": operand, "min": Term.number(minimum)]
    return .tensor(try add("aten.clamp.default", arguments)[0])
  }

  /// The sum over one dimension, or over all.
  mutating func sum(_ operand: Term, _ dimension: Int? = nil) throws(SpecError) -> Term {
    let dimensions = dimension.map { Term.integers([$0]) } ?? .none
    let arguments = ["self": operand, "dim": dimensions]
    return .tensor(try add("aten.sum.dim_IntList", arguments)[0])
  }

  /// Applies PyTorch's `reduction`: 0 for none, 1 for the mean, 2 for the sum.
  mutating func reduced(_ operand: Term, _ call: OperatorCall) throws(SpecError)
    -> [CheckedSpec.Value]
  {
    guard case .tensor(let value) = operand else { return [] }
    switch try call.integer("reduction") {
    case 0: return [value]
    case 1: return try add("aten.mean.dim", ["self": operand, "dim": Term.none])
    case 2: return try add("aten.sum.dim_IntList", ["self": operand, "dim": Term.none])
    case let other: throw call.fail("reduction \(other)", expected: "0, 1 or 2")
    }
  }

  /// The type of a term that is a tensor.
  func type(of term: Term) throws(SpecError) -> TensorType {
    guard case .tensor(let value) = term else { throw SpecError(.argument, "a number has no type") }
    return type(of: value)
  }
}

extension CheckedSpec.Argument {
  static func number(_ value: Double) -> CheckedSpec.Argument { .scalar(.real(value)) }
}

extension OperatorCall {
  /// The argument as a term of a formula; `none` where it is absent.
  func term(_ name: String) -> CheckedSpec.Argument { arguments[name] ?? .none }

  /// A number that the schema requires.
  func real(_ name: String) throws(SpecError) -> Double {
    guard let value = optionalScalar(name) else {
      throw SpecError(.argument, "\(name) is not a number")
    }
    return value.double
  }
}
