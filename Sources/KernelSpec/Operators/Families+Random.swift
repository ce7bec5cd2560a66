/// Result types of random operators: functions of a seed, an `i64` tensor of one element, and of `offset`,
/// which tells operators with the same seed apart.
enum Random {
  private static func requireSeed(_ call: OperatorCall) throws(SpecError) {
    guard let seed = call.optionalTensor("seed"), seed.dtype == .i64, seed.elementCount == 1 else {
      throw SpecError(
        .argument, "\(call.schema.name) without a seed", expected: "seed: an i64 of one element")
    }
    let offset = try call.integer("offset")
    guard offset >= 0, offset < 1 << 23 else {
      throw call.fail("offset \(offset)", expected: "0 to \(1 << 23 - 1)")
    }
  }

  static func numbers(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try requireSeed(call)
    let dtype = call.optionalDType() ?? .f32
    guard dtype.isFloatingPoint else {
      throw call.fail("\(call.schema.name) of \(dtype.rawValue)", expected: "a real type")
    }
    return [try TensorType.checked(dtype, try call.integers("size"))]
  }

  static func permutation(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    try requireSeed(call)
    let dtype = call.optionalDType() ?? .i64
    guard dtype != .bool else { throw call.fail("randperm of bool") }
    return [try TensorType.checked(dtype, [try call.integer("n")])]
  }

  static func dropout(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("input")
    guard let chance = call.optionalScalar("p")?.double, chance >= 0, chance <= 1,
      type.dtype.isFloatingPoint
    else { throw call.fail("dropout of \(type)", expected: "a real type and p from 0 to 1") }
    if call.arguments["train"] == CheckedSpec.Argument.none {
      call.arguments["train"] = .boolean(true)
    }
    if call.flag("train"), chance > 0, chance < 1 {
      try requireSeed(call)
    } else {
      call.arguments["seed"] = CheckedSpec.Argument.none
      call.arguments["offset"] = .integer(0)
    }
    return [TensorType(type.dtype, type.shape), TensorType(.bool, type.shape)]
  }
}

extension OperatorTable {
  static let randoms: [Operator?] = [
    .primitive(
      "rand(SymInt[] size, *, Tensor seed, int offset=0, \(Creation.placement)) -> Tensor",
      Random.numbers),
    .primitive(
      "randn(SymInt[] size, *, Tensor seed, int offset=0, \(Creation.placement)) -> Tensor",
      Random.numbers),
    .primitive(
      "randperm(SymInt n, *, Tensor seed, int offset=0, \(Creation.placement)) -> Tensor",
      Random.permutation),
    .primitive(
      """
      native_dropout(Tensor input, float p, bool? train, *, Tensor? seed=None, int offset=0) \
      -> (Tensor, Tensor)
      """, Random.dropout),
  ]
}
