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

  /// The operand's element at a position of the result, as an operator on `type` takes it.
  func promoted(_ operand: Operand, at axes: [Axis], to type: DType) -> Expression {
    switch operand {
    case .tensor(let id): load(id, broadcastAt: axes.positions).taken(as: type)
    case .number(let number): constant(number, type)
    }
  }

  /// A number rounded to `type`, in the type that operators on `type` compute in.
  func constant(_ number: CheckedSpec.Scalar, _ type: DType) -> Expression {
    let rounded = Expression.number(number, type)
    guard case .real(let value, _) = rounded else { return rounded }
    return .real(value, type.computeType)
  }

  /// The operand's element at a position of the result, converted to `type`.
  func element(_ operand: Operand, at axes: [Axis], as type: DType) -> Expression {
    switch operand {
    case .tensor(let id): load(id, broadcastAt: axes.positions).cast(to: type)
    case .number(let number): .number(number, type)
    }
  }

  /// The type in which PyTorch combines the operands.
  func commonType(_ operands: [Operand]) -> DType {
    let types = operands.map { operand -> TypePromotion.Operand in
      switch operand {
      case .tensor(let id): .tensor(type(of: id))
      case .number(let number): .scalar(number)
      }
    }
    return TypePromotion.resultType(types) ?? .f32
  }
}

extension Expression {
  /// The value rounded to `type`, as PyTorch does before an operator on `type` reads it, in the type that
  /// such an operator computes in.
  func taken(as type: DType) -> Expression {
    type.rounds(from: dtype)
      ? cast(to: type).cast(to: type.computeType) : cast(to: type.computeType)
  }
}
