/// One overload of an operator: its schema and its meaning for types.
package struct Operator: Sendable {
  package var schema: OperatorSchema
  var rule: Rule
  /// Tensor parameters that take a plain number as well, as PyTorch's Python functions do.
  var numberParameters: Set<String> = []
  /// Two tensor parameters that can change places without changing any result.
  var commutes: (String, String)?
  /// Whether the results, of these types, are `self` unchanged.
  var isIdentity: Identity?

  /// Whether checked specs contain it; others are written with those that are.
  package var isPrimitive: Bool { if case .primitive = rule { true } else { false } }

  enum Rule: Sendable {
    /// Infers the result types and normalises the arguments.
    case primitive(Inference)
    /// Is another way to write a graph of primitives.
    case composite(Expansion)
  }

  typealias Inference = @Sendable (inout OperatorCall) throws(SpecError) -> [TensorType]
  typealias Expansion =
    @Sendable (inout OperatorCall, inout GraphBuilder) throws(SpecError) ->
    [CheckedSpec.Value]
  typealias Identity = @Sendable (OperatorCall, [TensorType]) -> Bool

  /// An operator of its own.
  ///
  /// - Parameters:
  ///   - numbers: tensor parameters that take a plain number as well.
  ///   - commutes: two tensor parameters that can change places.
  ///   - identity: when the operator does nothing.
  static func primitive(
    _ schema: String, numbers: Set<String> = [], commutes: (String, String)? = nil,
    identity: Identity? = nil, _ inference: @escaping Inference
  ) -> Operator? {
    OperatorSchema(schema).map {
      Operator(
        schema: $0, rule: .primitive(inference), numberParameters: numbers, commutes: commutes,
        isIdentity: identity)
    }
  }

  /// Another way to write other operators.
  static func composite(_ schema: String, _ expansion: @escaping Expansion) -> Operator? {
    OperatorSchema(schema).map { Operator(schema: $0, rule: .composite(expansion)) }
  }
}
