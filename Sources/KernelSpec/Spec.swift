/// What to compute: a graph of core ATen operators with typed inputs, as it was written.
///
/// A `Spec` is syntax: nothing says that its operators exist or that its types agree. Checking it gives a
/// `CheckedSpec`.
public struct Spec: Sendable, Hashable {
  /// A label for people; not part of the meaning and not in the key.
  public var name: String?
  public var inputs: [Input]
  public var nodes: [Node]
  public var outputs: [Reference]
  public var numerics: NumericPolicy
  /// The sizes that the text leaves open; types and arguments are then those at the smallest sizes. Such a spec is
  /// a family of specs: `instance(at:)` gives one of them.
  public internal(set) var symbols: [SizeSymbol] = []
  /// The text that the spec was read from.
  var source = SourceText()

  public init(
    name: String? = nil, inputs: [Input], nodes: [Node], outputs: [Reference],
    numerics: NumericPolicy = NumericPolicy()
  ) {
    self.name = name
    self.inputs = inputs
    self.nodes = nodes
    self.outputs = outputs
    self.numerics = numerics
  }

  /// A tensor that the caller gives.
  public struct Input: Sendable, Hashable {
    public var name: String
    public var type: TensorType
    var place = SourcePlace()

    public init(name: String, type: TensorType) {
      self.name = name
      self.type = type
    }
  }

  /// One application of an operator.
  public struct Node: Sendable, Hashable {
    public var id: String
    /// The operator as written, with or without its overload: `aten.addmm` or `aten.addmm.default`.
    public var op: String
    /// The arguments as written, by schema name.
    public var arguments: [String: Argument]
    var place = SourcePlace()

    public init(id: String, op: String, arguments: [String: Argument]) {
      self.id = id
      self.op = op
      self.arguments = arguments
    }
  }

  /// A use of a value: `%name`, or `%name#1` for the second result of an operator.
  public struct Reference: Sendable, Hashable {
    public var name: String
    public var result: Int
    var place = SourcePlace()

    public init(_ name: String, result: Int = 0) {
      self.name = name
      self.result = result
    }
  }

  /// An argument as written.
  public indirect enum Argument: Sendable, Hashable {
    case reference(Reference)
    case integer(Int64)
    case real(Double)
    case boolean(Bool)
    /// A string or a dtype; the operator's schema says which.
    case string(String)
    case list([Argument])
    case none
  }
}

/// How far a result may be from the exact one, beside the rounding error that any evaluation in the working type
/// may have.
public struct NumericPolicy: Sendable, Hashable, Codable {
  /// The allowed error relative to the expected value; `nil` for the default of the output's dtype.
  public var rtol: Double?
  /// The allowed error as a share of the output's scale, which is the root mean square of its values; `nil` for the
  /// default of the output's dtype.
  public var atol: Double?

  public init(rtol: Double? = nil, atol: Double? = nil) {
    self.rtol = rtol
    self.atol = atol
  }

  /// The tolerances in force for an output of type `dtype`.
  ///
  /// The defaults leave room for approximated functions, and for 16-bit types for one rounding to them. What sums
  /// and cancellation add is known for each element (`docs/decisions/010`). Integers must be equal.
  package func tolerances(for dtype: DType) -> (rtol: Double, atol: Double) {
    let (relative, absolute): (Double, Double) =
      switch dtype {
      case .f64: (1e-10, 1e-11)
      case .f32: (1e-5, 1e-6)
      case .f16: (2e-3, 1e-4)
      case .bf16: (1e-2, 1e-3)
      default: (0, 0)
      }
    return dtype.isFloatingPoint ? (rtol ?? relative, atol ?? absolute) : (0, 0)
  }
}
