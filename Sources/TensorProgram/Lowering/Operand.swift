import KernelSpec

/// An argument of an elementwise operator.
enum Operand {
  case tensor(BufferID)
  case number(CheckedSpec.Scalar)
}

extension Lowering {
  /// The buffer of a tensor argument.
  func tensor(_ name: String, of operation: Operation) throws -> BufferID {
    guard let id = optionalTensor(name, of: operation) else {
      throw operation.error("\(name) must be a tensor")
    }
    return id
  }

  func optionalTensor(_ name: String, of operation: Operation) -> BufferID? {
    operation.optionalValue(name).flatMap { values[$0] }
  }

  /// A tensor or a number.
  func operand(_ name: String, of operation: Operation) throws -> Operand {
    guard let operand = optionalOperand(name, of: operation) else {
      throw operation.error("\(name) must be a tensor or a number")
    }
    return operand
  }

  func optionalOperand(_ name: String, of operation: Operation) -> Operand? {
    optionalTensor(name, of: operation).map { .tensor($0) }
      ?? operation.optionalScalar(name).map { .number($0) }
  }

  /// The operand's element at a position of the result, converted to `type`.
  func element(_ operand: Operand, at axes: [Axis], as type: DType) -> Expression {
    switch operand {
    case .tensor(let id): load(id, broadcastAt: axes.positions).cast(to: type)
    case .number(let number): .number(number, type)
    }
  }

  /// The type in which PyTorch combines the operands: tensors with dimensions decide before those
  /// without, and those before plain numbers, unless a lesser one is of a higher category.
  ///
  /// Source: `torch.result_type` (ATen/native/TypeProperties.cpp).
  func commonType(_ operands: [Operand]) -> DType {
    var byPriority: [DType?] = [nil, nil, nil]
    for operand in operands {
      let (priority, dtype) = priority(of: operand)
      byPriority[priority] = byPriority[priority].map { $0.promoted(with: dtype) } ?? dtype
    }
    let lesser = DType.combine(byPriority[1], byPriority[2])
    return DType.combine(byPriority[0], lesser) ?? .f32
  }

  private func priority(of operand: Operand) -> (Int, DType) {
    switch operand {
    case .tensor(let id): (type(of: id).rank > 0 ? 0 : 1, type(of: id).dtype)
    case .number(.boolean): (2, .bool)
    case .number(.integer): (2, .i64)
    case .number(.real): (2, .f32)
    }
  }
}

extension DType {
  /// The smallest type that holds both, as PyTorch's `promoteTypes`.
  fileprivate func promoted(with other: DType) -> DType {
    let order: [DType] = [.bool, .u8, .i8, .i16, .i32, .i64, .f16, .bf16, .f32, .f64]
    let pair = order.filter { $0 == self || $0 == other }
    switch (pair.first, pair.last) {
    case (.u8, .i8): return .i16
    case (.f16, .bf16): return .f32
    default: return pair.last ?? self
    }
  }

  fileprivate static func combine(_ higher: DType?, _ lower: DType?) -> DType? {
    guard let higher else { return lower }
    guard let lower, !higher.isFloatingPoint else { return higher }
    return higher == .bool || lower.isFloatingPoint ? higher.promoted(with: lower) : higher
  }
}
