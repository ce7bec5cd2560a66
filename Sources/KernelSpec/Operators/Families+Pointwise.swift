/// Result types shared by pointwise operators.
enum Pointwise {
  /// Floating-point types keep their type; integers and `bool` become `f32`.
  static func floating(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    return [TensorType(type.dtype.isFloatingPoint ? type.dtype : .f32, type.shape)]
  }

  /// The type of `self`.
  static func same(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    return [TensorType(type.dtype, type.shape)]
  }

  /// The type of `self`, which is not `bool`.
  static func numeric(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    guard try call.tensor("self").dtype != .bool else {
      throw call.fail("\(call.schema.name) of bool", expected: "a number type")
    }
    return try same(&call)
  }

  /// The type of `self`, which is of a floating-point type.
  static func floatingOnly(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.dtype.isFloatingPoint else {
      throw call.fail(
        "\(call.schema.name) of \(type.dtype.rawValue)", expected: "a floating-point type")
    }
    return try same(&call)
  }

  /// The type of `self`, which is not of a floating-point type.
  static func integral(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard !type.dtype.isFloatingPoint else {
      throw call.fail(
        "\(call.schema.name) of \(type.dtype.rawValue)", expected: "an integer type or bool")
    }
    return try same(&call)
  }

  static func predicate(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [TensorType(.bool, try call.tensor("self").shape)]
  }

  /// The shape and promoted dtype of `names`, of which those absent are left out.
  static func combined(_ call: OperatorCall, _ names: [String]) throws(SpecError) -> TensorType {
    var shape: [Int] = []
    var operands: [TypePromotion.Operand] = []
    var hasTensor = false
    for name in names {
      guard let operand = call.operand(name) else { continue }
      operands.append(operand)
      if case .tensor(let type) = operand {
        hasTensor = true
        shape = try TypePromotion.broadcast(shape, type.shape)
      }
    }
    guard hasTensor, let dtype = TypePromotion.resultType(operands) else {
      throw SpecError(.argument, "no operand is a tensor", expected: "at least one tensor")
    }
    return try TensorType.checked(dtype, shape)
  }

  static func binary(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [try combined(call, ["self", "other"])]
  }

  /// As `binary`, with integers and `bool` becoming `f32`.
  static func binaryFloating(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try combined(call, ["self", "other"])
    return [TensorType(type.dtype.isFloatingPoint ? type.dtype : .f32, type.shape)]
  }

  static func binaryNumeric(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try combined(call, ["self", "other"])
    guard type.dtype != .bool else {
      throw call.fail("\(call.schema.name) of bool", expected: "a number type")
    }
    return [type]
  }

  static func binaryIntegral(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try combined(call, ["self", "other"])
    guard !type.dtype.isFloatingPoint else {
      throw call.fail(
        "\(call.schema.name) of \(type.dtype.rawValue)", expected: "an integer type or bool")
    }
    return [type]
  }

  static func comparison(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    [TensorType(.bool, try combined(call, ["self", "other"]).shape)]
  }

  /// `add` and `sub`: `alpha` must suit the result, and `bool` cannot be subtracted.
  static func sum(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try combined(call, ["self", "other"])
    if !type.dtype.isFloatingPoint, case .real? = call.optionalScalar("alpha") {
      throw call.fail("alpha is real but the operands are \(type.dtype.rawValue)")
    }
    if case .boolean(let value)? = call.optionalScalar("alpha"), type.dtype != .bool {
      call.arguments["alpha"] = .scalar(.integer(value ? 1 : 0))
    }
    if call.schema.name == "sub", case .tensor(let other)? = call.operand("other"),
      other.dtype == .bool, type.dtype == .bool
    {
      throw call.fail("sub of bool", expected: "a number type; logical_xor does this for bool")
    }
    return [type]
  }

  static func division(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    switch call.optionalString("rounding_mode") {
    case nil: return try binaryFloating(&call)
    case "floor", "trunc": return try binaryNumeric(&call)
    case .some(let mode):
      throw SpecError(
        .argument, "the rounding_mode \"\(mode)\"", expected: "\"floor\", \"trunc\" or none")
    }
  }

  static func power(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try combined(call, ["self", "exponent"])
    if !type.dtype.isFloatingPoint, case .integer(let value)? = call.optionalScalar("exponent"),
      value < 0
    {
      throw call.fail("integers to the power \(value)", expected: "an exponent of at least 0")
    }
    return [type]
  }

  /// `clamp`: bounds take part in promotion; at least one is there.
  static func clamp(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    guard call.operand("min") != nil || call.operand("max") != nil else {
      throw SpecError(.argument, "clamp without bounds", expected: "min, max or both")
    }
    let type = try combined(call, ["self", "min", "max"])
    guard type.dtype != .bool else { throw call.fail("clamp of bool") }
    return [type]
  }

  static func choice(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let condition = try call.tensor("condition")
    guard condition.dtype == .bool else {
      throw call.fail("the condition is \(condition.dtype.rawValue)", expected: "bool")
    }
    guard let first = call.operand("self"), let second = call.operand("other"),
      let dtype = TypePromotion.resultType([first, second])
    else { throw SpecError(.argument, "where needs self and other") }
    var shape = condition.shape
    for case .tensor(let type) in [first, second] {
      shape = try TypePromotion.broadcast(shape, type.shape)
    }
    return [try TensorType.checked(dtype, shape)]
  }

  /// The same operator with a plain number in place of a tensor.
  static func asTensor(_ name: String) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      try graph.add("aten.\(call.schema.name).\(name)", call.arguments)
    }
  }
}

extension OperatorTable {
  static let pointwiseUnary: [Operator?] =
    [
      "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "sin",
      "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
      "sigmoid", "erf",
    ].map { .primitive("\($0)(Tensor self) -> Tensor", Pointwise.floating) }
    + ["neg", "abs", "relu", "floor", "ceil", "round", "trunc"].map {
      .primitive("\($0)(Tensor self) -> Tensor", Pointwise.numeric)
    }
    + ["isnan", "isinf", "logical_not"].map {
      .primitive("\($0)(Tensor self) -> Tensor", Pointwise.predicate)
    } + [
      .primitive("sign(Tensor self) -> Tensor", Pointwise.same),
      .primitive("bitwise_not(Tensor self) -> Tensor", Pointwise.integral),
    ]

  static let pointwiseActivation: [Operator?] =
    [
      "leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor",
      "elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor",
      "silu(Tensor self) -> Tensor", "mish(Tensor self) -> Tensor",
      "softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor",
      "hardswish(Tensor self) -> Tensor", "hardsigmoid(Tensor self) -> Tensor",
    ].map { .primitive($0, Pointwise.floatingOnly) } + [
      .primitive("gelu(Tensor self, *, str approximate='none') -> Tensor") {
        (call: inout OperatorCall) throws(SpecError) in
        guard ["none", "tanh"].contains(call.optionalString("approximate")) else {
          throw SpecError(.argument, "an unknown approximate", expected: "\"none\" or \"tanh\"")
        }
        return try Pointwise.floatingOnly(&call)
      },
      .primitive(
        "hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor", Pointwise.numeric),
      .composite("relu6(Tensor self) -> Tensor") {
        (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
        var arguments = call.arguments
        arguments["min_val"] = .scalar(.integer(0))
        arguments["max_val"] = .scalar(.integer(6))
        return try graph.add("aten.hardtanh.default", arguments)
      },
      .primitive(
        "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor", Pointwise.clamp),
      .primitive(
        "clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor",
        Pointwise.clamp),
      .primitive(
        "where.self(Tensor condition, Tensor self, Tensor other) -> Tensor",
        numbers: ["self", "other"], Pointwise.choice),
    ]

  private static let both: Set<String> = ["self", "other"]

  static let pointwiseBinary: [Operator?] =
    [
      .primitive(
        "add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", numbers: both,
        commutes: ("self", "other"), Pointwise.sum),
      .composite(
        "add.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
        Pointwise.asTensor("Tensor")),
      .primitive(
        "sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor", numbers: both,
        Pointwise.sum),
      .composite(
        "sub.Scalar(Tensor self, Scalar other, Scalar alpha=1) -> Tensor",
        Pointwise.asTensor("Tensor")),
      .primitive(
        "mul.Tensor(Tensor self, Tensor other) -> Tensor", numbers: both,
        commutes: ("self", "other"), Pointwise.binary),
      .composite(
        "mul.Scalar(Tensor self, Scalar other) -> Tensor", Pointwise.asTensor("Tensor")),
      .primitive(
        "div.Tensor(Tensor self, Tensor other) -> Tensor", numbers: both, Pointwise.division),
      .composite(
        "div.Scalar(Tensor self, Scalar other) -> Tensor", Pointwise.asTensor("Tensor")),
      .primitive(
        "div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor",
        numbers: both, Pointwise.division),
      .composite(
        "div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor",
        Pointwise.asTensor("Tensor_mode")),
      .primitive(
        "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor", Pointwise.power),
      .primitive("pow.Scalar(Scalar self, Tensor exponent) -> Tensor", Pointwise.power),
      .primitive("pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor", Pointwise.power),
      .primitive(
        "maximum(Tensor self, Tensor other) -> Tensor", commutes: ("self", "other"),
        Pointwise.binary),
      .primitive(
        "minimum(Tensor self, Tensor other) -> Tensor", commutes: ("self", "other"),
        Pointwise.binary),
      .primitive("atan2(Tensor self, Tensor other) -> Tensor", Pointwise.binaryFloating),
    ]
    + ["fmod", "remainder"].flatMap { name -> [Operator?] in
      [
        .primitive(
          "\(name).Tensor(Tensor self, Tensor other) -> Tensor", numbers: both,
          Pointwise.binaryNumeric),
        .composite(
          "\(name).Scalar(Tensor self, Scalar other) -> Tensor", Pointwise.asTensor("Tensor")),
      ]
    }
    + ["bitwise_and", "bitwise_or", "bitwise_xor"].flatMap { name -> [Operator?] in
      [
        .primitive(
          "\(name).Tensor(Tensor self, Tensor other) -> Tensor", numbers: both,
          commutes: ("self", "other"), Pointwise.binaryIntegral),
        .composite(
          "\(name).Scalar(Tensor self, Scalar other) -> Tensor", Pointwise.asTensor("Tensor")),
      ]
    }

  static let comparisons: [Operator?] =
    ["eq", "ne", "lt", "le", "gt", "ge"].flatMap { name -> [Operator?] in
      [
        .primitive(
          "\(name).Tensor(Tensor self, Tensor other) -> Tensor", numbers: ["other"],
          commutes: name == "eq" || name == "ne" ? ("self", "other") : nil, Pointwise.comparison),
        .composite(
          "\(name).Scalar(Tensor self, Scalar other) -> Tensor", Pointwise.asTensor("Tensor")),
      ]
    }
    + ["logical_and", "logical_or", "logical_xor"].map {
      .primitive(
        "\($0)(Tensor self, Tensor other) -> Tensor", commutes: ("self", "other"),
        Pointwise.comparison)
    }
}
