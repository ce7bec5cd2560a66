/// The arguments of one operator while its types are inferred and its arguments normalised.
package struct OperatorCall {
  package let schema: OperatorSchema
  /// Complete: every parameter has a value.
  package var arguments: [String: CheckedSpec.Argument]
  /// The types of the values that the arguments use.
  let types: [CheckedSpec.Value: TensorType]

  func fail(_ message: String, expected: String? = nil) -> SpecError {
    SpecError(.type, message, expected: expected)
  }

  /// The type of a tensor that must be there.
  package func tensor(_ name: String) throws(SpecError) -> TensorType {
    guard let type = optionalTensor(name) else {
      throw SpecError(.argument, "\(name) is not a tensor", expected: "a tensor")
    }
    return type
  }

  func value(_ name: String) throws(SpecError) -> CheckedSpec.Value {
    guard case .tensor(let value)? = arguments[name] else {
      throw SpecError(.argument, "\(name) is not a tensor", expected: "a tensor")
    }
    return value
  }

  func optionalTensor(_ name: String) -> TensorType? {
    guard case .tensor(let value)? = arguments[name] else { return nil }
    return types[value]
  }

  /// The types of a list of tensors, all of which must be there.
  func tensors(_ name: String) throws(SpecError) -> [TensorType] {
    guard case .tensors(let values)? = arguments[name], !values.isEmpty, !values.contains(nil)
    else { throw SpecError(.argument, "\(name) is not a list of at least one tensor") }
    return values.compactMap { $0.flatMap { types[$0] } }
  }

  /// A tensor or a number, as type promotion sees it; `nil` when absent.
  func operand(_ name: String) -> TypePromotion.Operand? {
    switch arguments[name] {
    case .tensor(let value): types[value].map(TypePromotion.Operand.tensor)
    case .scalar(let scalar): .scalar(scalar)
    default: nil
    }
  }

  func integer(_ name: String) throws(SpecError) -> Int {
    guard case .integer(let value)? = arguments[name] else {
      throw SpecError(.argument, "\(name) is not an integer")
    }
    return value
  }

  func optionalInteger(_ name: String) -> Int? {
    guard case .integer(let value)? = arguments[name] else { return nil }
    return value
  }

  func integers(_ name: String) throws(SpecError) -> [Int] {
    guard case .integers(let values)? = arguments[name] else {
      throw SpecError(.argument, "\(name) is not a list of integers")
    }
    return values
  }

  func optionalIntegers(_ name: String) -> [Int]? {
    guard case .integers(let values)? = arguments[name] else { return nil }
    return values
  }

  func flag(_ name: String) -> Bool { arguments[name] == .boolean(true) }

  /// A list of truth values, which the schema requires.
  func flags(_ name: String) throws(SpecError) -> [Bool] {
    guard case .booleans(let values)? = arguments[name] else {
      throw SpecError(.argument, "\(name) is not a list of truth values")
    }
    return values
  }

  func optionalReals(_ name: String) -> [Double]? {
    guard case .reals(let values)? = arguments[name] else { return nil }
    return values
  }

  func optionalDType(_ name: String = "dtype") -> DType? {
    guard case .dtype(let dtype)? = arguments[name] else { return nil }
    return dtype
  }

  func optionalString(_ name: String) -> String? {
    guard case .string(let string)? = arguments[name] else { return nil }
    return string
  }

  func optionalScalar(_ name: String) -> CheckedSpec.Scalar? {
    guard case .scalar(let scalar)? = arguments[name] else { return nil }
    return scalar
  }

  /// A dimension counted from the front.
  ///
  /// - Throws: `SpecError` with code `type` when the rank has no such dimension.
  func normalized(_ dimension: Int, rank: Int) throws(SpecError) -> Int {
    let bound = max(rank, 1)
    guard dimension >= -bound, dimension < bound else {
      throw fail("dimension \(dimension) of a tensor of rank \(rank)")
    }
    return dimension < 0 ? dimension + bound : dimension
  }

  /// Replaces the dimension argument `name` by one counted from the front, and returns it.
  mutating func normalizeDimension(_ name: String = "dim", rank: Int) throws(SpecError) -> Int {
    let dimension = try normalized(try integer(name), rank: rank)
    arguments[name] = .integer(dimension)
    return dimension
  }

  /// Replaces the dimension list `name` by a sorted one counted from the front, and returns it.
  ///
  /// No list, and an empty one, means all dimensions.
  mutating func normalizeDimensions(_ name: String = "dim", rank: Int) throws(SpecError) -> [Int] {
    let given = optionalIntegers(name) ?? []
    var dimensions: [Int] = []
    for dimension in given { dimensions.append(try normalized(dimension, rank: rank)) }
    guard Set(dimensions).count == dimensions.count else {
      throw fail("\(name) \(given) names a dimension twice")
    }
    if given.isEmpty { dimensions = Array(0..<rank) }
    dimensions = dimensions.filter { $0 < rank }.sorted()
    arguments[name] = .integers(dimensions)
    return dimensions
  }
}
