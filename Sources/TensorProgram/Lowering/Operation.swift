import KernelSpec

/// A node that is being lowered: its arguments in the types that a rule expects.
struct Operation {
  let node: CheckedSpec.Node
  let position: Int

  var results: [TensorType] { node.results }
  /// The type of the only or first result.
  var result: TensorType { node.results.first ?? TensorType(.f32, []) }

  func error(_ reason: String) -> LoweringError {
    LoweringError(op: node.op, node: position, reason: reason)
  }

  func optionalValue(_ name: String) -> CheckedSpec.Value? {
    if case .tensor(let value) = node.arguments[name] { value } else { nil }
  }

  func integer(_ name: String) throws -> Int {
    guard let value = optionalInteger(name) else { throw error("\(name) must be an integer") }
    return value
  }

  func optionalInteger(_ name: String) -> Int? {
    switch node.arguments[name] {
    case .integer(let value): value
    case .integers(let values) where values.count == 1: values[0]
    case .scalar(.integer(let value)): Int(exactly: value)
    default: nil
    }
  }

  func integers(_ name: String) throws -> [Int] {
    guard let values = optionalIntegers(name) else { throw error("\(name) must be integers") }
    return values
  }

  /// `count` integers, of which a single one stands for all; `otherwise` when the list is empty.
  func integers(_ name: String, count: Int, otherwise: [Int]? = nil) throws -> [Int] {
    let values = optionalIntegers(name) ?? []
    if values.isEmpty, let otherwise { return otherwise }
    if values.count == 1 { return [Int](repeating: values[0], count: count) }
    guard values.count == count else { throw error("\(name) must have \(count) integers") }
    return values
  }

  func optionalIntegers(_ name: String) -> [Int]? {
    switch node.arguments[name] {
    case .integers(let values): values
    case .integer(let value): [value]
    default: nil
    }
  }

  func boolean(_ name: String, default value: Bool = false) -> Bool {
    switch node.arguments[name] {
    case .boolean(let value): value
    case .integer(let value): value != 0
    default: value
    }
  }

  func string(_ name: String) -> String? {
    if case .string(let value) = node.arguments[name] { value } else { nil }
  }

  func scalar(_ name: String) throws -> CheckedSpec.Scalar {
    guard let value = optionalScalar(name) else { throw error("\(name) must be a number") }
    return value
  }

  func optionalScalar(_ name: String) -> CheckedSpec.Scalar? {
    switch node.arguments[name] {
    case .scalar(let value): value
    case .integer(let value): .integer(Int64(value))
    case .boolean(let value): .boolean(value)
    default: nil
    }
  }

  /// The value of a real parameter, or `otherwise` where the schema's default applies.
  func real(_ name: String, default otherwise: Double) -> Double {
    optionalScalar(name)?.double ?? otherwise
  }
}
