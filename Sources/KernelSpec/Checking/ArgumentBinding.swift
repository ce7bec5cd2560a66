/// Fits arguments as written to the parameters of a schema.
struct ArgumentBinding {
  let operation: Operator
  /// The value that a reference means.
  let resolve: (Spec.Reference) throws(SpecError) -> CheckedSpec.Value

  /// Flags without influence on values, which the canonical form does not keep.
  private static let inertFlags: Set<String> = [
    "implicit", "non_blocking", "sparse_grad", "scale_grad_by_freq", "sparse", "pin_memory",
    "cudnn_enable", "cudnn_enabled",
  ]

  /// Gradients of embeddings are the one place where the frequency of a row counts.
  private func isInert(_ parameter: OperatorSchema.Parameter) -> Bool {
    Self.inertFlags.contains(parameter.name)
      && operation.schema.name != "embedding_dense_backward"
  }

  /// - Throws: `SpecError` with code `argument`, for an argument that is unknown, missing or does
  /// not fit.
  func bind(_ given: [String: Spec.Argument]) throws(SpecError) -> [String: CheckedSpec.Argument] {
    let parameters = operation.schema.parameters
    let known = Set(parameters.map(\.name))
    for name in given.keys.sorted() where !known.contains(name) {
      throw SpecError(
        .argument, "\(operation.schema.name) has no parameter \(name)",
        expected: parameters.map(\.name).joined(separator: ", "))
    }
    var bound: [String: CheckedSpec.Argument] = [:]
    for parameter in parameters where parameter.type.kind != .placement {
      guard let argument = given[parameter.name] ?? parameter.implied else {
        throw SpecError(.argument, "\(parameter.name) is missing", expected: parameter.type.words)
      }
      bound[parameter.name] =
        isInert(parameter)
        ? .boolean(false) : try convert(argument, parameter)
    }
    return bound
  }

  /// Completes arguments that are checked already, dropping those that the schema does not have.
  func complete(_ arguments: [String: CheckedSpec.Argument]) throws(SpecError)
    -> [String: CheckedSpec.Argument]
  {
    var complete: [String: CheckedSpec.Argument] = [:]
    for parameter in operation.schema.parameters where parameter.type.kind != .placement {
      if let argument = arguments[parameter.name] {
        complete[parameter.name] = argument
      } else if let implied = parameter.implied {
        complete[parameter.name] = try convert(implied, parameter)
      } else if parameter.type.isOptional {
        complete[parameter.name] = CheckedSpec.Argument.none
      } else {
        throw SpecError(.argument, "\(parameter.name) is missing", expected: parameter.type.words)
      }
    }
    return complete
  }

  private func convert(_ argument: Spec.Argument, _ parameter: OperatorSchema.Parameter)
    throws(SpecError) -> CheckedSpec.Argument
  {
    let type = parameter.type
    if argument == .none, type.isOptional { return .none }
    if type.isList { return try list(argument, parameter) }
    switch (type.kind, argument) {
    case (.tensor, .reference(let reference)): return .tensor(try resolve(reference))
    case (.tensor, _) where operation.numberParameters.contains(parameter.name):
      return .scalar(try scalar(argument, parameter))
    case (.scalar, _): return .scalar(try scalar(argument, parameter))
    case (.real, _): return .scalar(.real(try scalar(argument, parameter).double))
    case (.integer, .integer(let value)): return .integer(try integer(value, parameter))
    case (.boolean, .boolean(let value)): return .boolean(value)
    case (.string, .string(let value)): return .string(value)
    case (.dtype, .string(let value)):
      if let dtype = DType(writtenAs: value) { return .dtype(dtype) }
    default: break
    }
    throw mismatch(argument, parameter)
  }

  private func scalar(_ argument: Spec.Argument, _ parameter: OperatorSchema.Parameter)
    throws(SpecError) -> CheckedSpec.Scalar
  {
    switch argument {
    case .integer(let value): return .integer(value)
    case .real(let value): return .real(value)
    case .boolean(let value): return .boolean(value)
    case .string("inf"): return .real(.infinity)
    case .string("-inf"): return .real(-.infinity)
    case .string("nan"): return .real(.nan)
    default: throw mismatch(argument, parameter)
    }
  }

  private func integer(_ value: Int64, _ parameter: OperatorSchema.Parameter) throws(SpecError)
    -> Int
  {
    let bound = Int64(SpecLimits.integer)
    if parameter.name == "start" || parameter.name == "end" {
      // PyTorch writes "to the end" as the largest integer; a slice is clamped to its dimension
      // anyway.
      return Int(min(max(value, -bound), bound))
    }
    guard value >= -bound, value <= bound else {
      throw SpecError(
        .limit, "\(parameter.name) is \(value)", expected: "at most \(bound) in magnitude")
    }
    return Int(value)
  }

  private func list(_ argument: Spec.Argument, _ parameter: OperatorSchema.Parameter)
    throws(SpecError) -> CheckedSpec.Argument
  {
    var elements = [argument]
    if case .list(let given) = argument { elements = given }
    guard elements.count <= SpecLimits.listElements else {
      throw SpecError(
        .limit, "\(parameter.name) has \(elements.count) elements",
        expected: "at most \(SpecLimits.listElements)")
    }
    switch parameter.type.kind {
    case .tensor: return try tensors(elements, parameter)
    case .boolean: return .booleans(try booleans(elements, parameter))
    case .real:
      var values: [Double] = []
      for element in elements { values.append(try scalar(element, parameter).double) }
      return .reals(values)
    case .integer: break
    default: throw mismatch(argument, parameter)
    }
    var values: [Int] = []
    for element in elements {
      guard case .integer(let value) = element else { throw mismatch(argument, parameter) }
      values.append(try integer(value, parameter))
    }
    if let count = parameter.type.listCount, values.count == 1 {
      values = [Int](repeating: values[0], count: count)
    }
    return .integers(values)
  }

  private func booleans(_ elements: [Spec.Argument], _ parameter: OperatorSchema.Parameter)
    throws(SpecError) -> [Bool]
  {
    var values: [Bool] = []
    for element in elements {
      guard case .boolean(let value) = element else { throw mismatch(element, parameter) }
      values.append(value)
    }
    guard parameter.type.listCount.map({ $0 == values.count }) ?? true else {
      throw SpecError(
        .argument, "\(parameter.name) has \(values.count) elements",
        expected: "\(parameter.type.listCount ?? 0)")
    }
    return values
  }

  private func tensors(_ elements: [Spec.Argument], _ parameter: OperatorSchema.Parameter)
    throws(SpecError) -> CheckedSpec.Argument
  {
    var values: [CheckedSpec.Value?] = []
    for element in elements {
      switch element {
      case .reference(let reference): values.append(try resolve(reference))
      case .none where parameter.type.isOptional: values.append(nil)
      default: throw mismatch(element, parameter)
      }
    }
    return .tensors(values)
  }

  private func mismatch(_ argument: Spec.Argument, _ parameter: OperatorSchema.Parameter)
    -> SpecError
  {
    SpecError(
      .argument, "\(parameter.name) is \(argument.words)", expected: parameter.type.words)
  }
}

extension OperatorSchema.Parameter {
  /// What holds when the argument is left out.
  ///
  /// Optional tensors without a default are absent.
  var implied: Spec.Argument? {
    if let defaultValue { return defaultValue }
    return type.isOptional && type.kind == .tensor ? Spec.Argument.none : nil
  }
}

extension OperatorSchema.ParameterType {
  /// The type in words, for messages.
  var words: String {
    let word =
      switch kind {
      case .tensor: "a tensor"
      case .integer: "an integer"
      case .real, .scalar: "a number"
      case .boolean: "true or false"
      case .string: "a string"
      case .dtype: "a dtype such as f32"
      case .placement: "nothing"
      }
    return isList ? "a list, each \(word)" : word
  }
}

extension Spec.Argument {
  /// The argument in words, for messages.
  var words: String {
    switch self {
    case .reference(let reference): "the tensor %\(reference.name)"
    case .integer(let value): "\(value)"
    case .real(let value): "\(value)"
    case .boolean(let value): "\(value)"
    case .string(let value): "\"\(value)\""
    case .list: "a list"
    case .none: "none"
    }
  }
}

extension DType {
  /// The type by its name here or in PyTorch.
  init?(writtenAs text: String) {
    let name = text.hasPrefix("torch.") ? String(text.dropFirst(6)) : text
    if let dtype = DType(rawValue: name) {
      self = dtype
      return
    }
    let names: [String: DType] = [
      "float64": .f64, "double": .f64, "float32": .f32, "float": .f32, "float16": .f16,
      "half": .f16, "bfloat16": .bf16, "int64": .i64, "long": .i64, "int32": .i32, "int": .i32,
      "int16": .i16, "short": .i16, "int8": .i8, "uint8": .u8,
    ]
    guard let dtype = names[name] else { return nil }
    self = dtype
  }
}
