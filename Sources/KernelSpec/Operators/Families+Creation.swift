/// Result types of operators that make tensors from numbers.
enum Creation {
  static func dtype(of scalar: CheckedSpec.Scalar) -> DType {
    switch scalar {
    case .boolean: .bool
    case .integer: .i64
    case .real: .f32
    }
  }

  static func full(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    guard let value = call.optionalScalar("fill_value") else {
      throw SpecError(.argument, "full without fill_value")
    }
    let dtype = call.optionalDType() ?? dtype(of: value)
    return [try TensorType.checked(dtype, try call.integers("size"))]
  }

  /// `full` of the shape of `self`, and of its dtype unless another is asked for.
  static func like(_ value: CheckedSpec.Scalar?) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      let type = try call.tensor("self")
      call.arguments["size"] = .integers(type.shape)
      call.arguments["dtype"] = .dtype(call.optionalDType() ?? type.dtype)
      if let value { call.arguments["fill_value"] = .scalar(value) }
      return try graph.add("aten.full.default", call.arguments)
    }
  }

  /// `full` with a fixed value, or of no dimensions with the value `s`.
  static func filled(_ value: CheckedSpec.Scalar?) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      if let value {
        call.arguments["fill_value"] = .scalar(value)
      } else {
        call.arguments["fill_value"] = call.arguments["s"]
        call.arguments["size"] = .integers([])
      }
      call.arguments["dtype"] = .dtype(call.optionalDType() ?? .f32)
      return try graph.add("aten.full.default", call.arguments)
    }
  }

  static func arange(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    guard let start = call.optionalScalar("start"), let end = call.optionalScalar("end"),
      let step = call.optionalScalar("step")
    else { throw SpecError(.argument, "arange needs start, end and step") }
    let numbers = [start, end, step]
    let areIntegers = numbers.allSatisfy { if case .integer = $0 { true } else { false } }
    let dtype = call.optionalDType() ?? (areIntegers ? .i64 : .f32)
    let count: Double
    if areIntegers || dtype.isFloatingPoint {
      count = ((end.double - start.double) / step.double).rounded(.up)
    } else {
      count = wholeCount(numbers.map(\.double), dtype, &call)
    }
    guard numbers.allSatisfy({ $0.double.isFinite }), count >= 0,
      count <= Double(SpecLimits.integer)
    else {
      throw call.fail(
        "arange from \(start.double) to \(end.double) by \(step.double)",
        expected: "0 to \(SpecLimits.integer) elements")
    }
    return [try TensorType.checked(dtype, [Int(count)])]
  }

  /// The count of integers from real bounds, which become whole ones with the same count.
  ///
  /// PyTorch takes whole parts of the start and the step, and of the end for `i64` alone; the others count before.
  private static func wholeCount(_ bounds: [Double], _ dtype: DType, _ call: inout OperatorCall)
    -> Double
  {
    let whole = bounds.map { $0.rounded(.towardZero) }
    let counted = dtype == .i64 ? whole : bounds
    let count = ((counted[1] - counted[0]) / counted[2]).rounded(.up)
    let end = whole[0] + count * whole[2]
    guard whole[2] != 0, abs(whole[0]) < 0x1p53, abs(end) < 0x1p53 else { return .nan }
    for (name, value) in [("start", whole[0]), ("end", end), ("step", whole[2])] {
      call.arguments[name] = .scalar(.integer(Int64(value)))
    }
    return count
  }

  static func arange(from names: [String]) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      if !names.contains("start") { call.arguments["start"] = .scalar(.integer(0)) }
      call.arguments["step"] = .scalar(.integer(1))
      return try graph.add("aten.arange.start_step", call.arguments)
    }
  }

  static let placement =
    "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None"
}

extension OperatorTable {
  static let creation: [Operator?] = [
    .composite(
      """
      empty.memory_format(SymInt[] size, *, \(Creation.placement), \
      MemoryFormat? memory_format=None) -> Tensor
      """, Creation.filled(.integer(0))),
    .composite(
      "empty_strided(SymInt[] size, SymInt[] stride, *, \(Creation.placement)) -> Tensor",
      Creation.filled(.integer(0))),
    .composite("fill.Scalar(Tensor self, Scalar value) -> Tensor") {
      (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      call.arguments["fill_value"] = call.arguments["value"]
      return try Creation.like(nil)(&call, &graph)
    },
    .composite("fill.Tensor(Tensor self, Tensor value) -> Tensor") {
      (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      guard try call.tensor("value").rank == 0 else {
        throw call.fail("fill with a tensor", expected: "no dimensions")
      }
      call.arguments["src"] = call.arguments["value"]
      return try graph.add("aten.copy.default", call.arguments)
    },
    .primitive(
      "full(SymInt[] size, Scalar fill_value, *, \(Creation.placement)) -> Tensor",
      Creation.full),
    .composite(
      """
      full_like(Tensor self, Scalar fill_value, *, \(Creation.placement), \
      MemoryFormat? memory_format=None) -> Tensor
      """, Creation.like(nil)),
    .composite(
      "zeros_like(Tensor self, *, \(Creation.placement), MemoryFormat? memory_format=None) -> Tensor",
      Creation.like(.integer(0))),
    .composite(
      "ones_like(Tensor self, *, \(Creation.placement), MemoryFormat? memory_format=None) -> Tensor",
      Creation.like(.integer(1))),
    .composite(
      "zeros(SymInt[] size, *, \(Creation.placement)) -> Tensor", Creation.filled(.integer(0))),
    .composite(
      "ones(SymInt[] size, *, \(Creation.placement)) -> Tensor", Creation.filled(.integer(1))),
    .composite(
      "scalar_tensor(Scalar s, *, \(Creation.placement)) -> Tensor", Creation.filled(nil)),
    .primitive(
      "arange.start_step(Scalar start, Scalar end, Scalar step=1, *, \(Creation.placement)) -> Tensor",
      Creation.arange),
    .composite(
      "arange.start(Scalar start, Scalar end, *, \(Creation.placement)) -> Tensor",
      Creation.arange(from: ["start"])),
    .composite(
      "arange(Scalar end, *, \(Creation.placement)) -> Tensor", Creation.arange(from: [])),
  ]
}
