/// A spec in canonical form: operators resolved, arguments complete and normalised, every value typed,
/// dead nodes removed, the order of nodes fixed.
///
/// Two specs with equal meaning give equal checked specs, apart from input names.
package struct CheckedSpec: Sendable, Hashable {
  /// The inputs in the caller's order. They keep their names, which are not in the key.
  package var inputs: [Spec.Input]
  /// The operators, each after those that it uses.
  package var nodes: [Node]
  package var outputs: [Value]
  package var numerics: NumericPolicy
  /// The label given by the caller, or a description made from the operators.
  package var name: String

  package init(
    inputs: [Spec.Input], nodes: [Node], outputs: [Value], numerics: NumericPolicy, name: String
  ) {
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.numerics = numerics
    self.name = name
  }

  /// A value of the graph.
  package enum Value: Sendable, Hashable {
    /// An input, by position.
    case input(Int)
    /// A result of a node, both by position.
    case node(Int, result: Int)
  }

  /// One application of an operator.
  package struct Node: Sendable, Hashable {
    /// The resolved overload with its schema, for example `aten.add.Tensor`.
    package var op: String
    package var arguments: Arguments
    package var results: [TensorType]

    package init(op: String, arguments: Arguments, results: [TensorType]) {
      self.op = op
      self.arguments = arguments
      self.results = results
    }
  }

  /// The complete arguments of a node: every parameter of the schema has a value, defaults filled in,
  /// negative dimensions counted from the front.
  package struct Arguments: Sendable, Hashable {
    package var values: [String: Argument]

    package init(_ values: [String: Argument] = [:]) { self.values = values }

    package subscript(name: String) -> Argument { values[name] ?? .none }
  }

  /// A checked argument, in the type that the schema gives it.
  package indirect enum Argument: Sendable, Hashable {
    case tensor(Value)
    /// A list of tensors, of which some may be absent (`Tensor?[]`).
    case tensors([Value?])
    case integer(Int)
    case integers([Int])
    /// A schema `Scalar` or `float`: its numeric class decides type promotion.
    case scalar(Scalar)
    case boolean(Bool)
    case booleans([Bool])
    /// A schema `float[]`.
    case reals([Double])
    case string(String)
    case dtype(DType)
    case none
  }

  /// A number that keeps whether it was written as an integer, a real or a boolean.
  package enum Scalar: Sendable, Hashable {
    case integer(Int64)
    case real(Double)
    case boolean(Bool)

    package var double: Double {
      switch self {
      case .integer(let value): Double(value)
      case .real(let value): value
      case .boolean(let value): value ? 1 : 0
      }
    }
  }

  /// The type of a value.
  package func type(of value: Value) -> TensorType {
    switch value {
    case .input(let position): inputs[position].type
    case .node(let position, let result): nodes[position].results[result]
    }
  }
}
