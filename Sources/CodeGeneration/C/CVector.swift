import KernelSpec
import TensorProgram

/// Vector expressions: one text for all lanes; what cannot be a vector is written lane by lane before.
///
/// A vector of `bool` is an `i32` vector of 0 and -1.
extension CWriter {
  /// Whether the value differs between lanes.
  func varies(_ expression: Expression, along axis: Axis) -> Bool {
    var found = false
    expression.visit { part in
      part.visitIndices { found = found || $0.uses(axis) }
      if case .load(let buffer, _, _) = part { found = found || scratch[buffer]?.isPerLane == true }
    }
    return found
  }

  /// The value in every lane of `lanes`.
  mutating func vector(_ expression: Expression, _ lanes: LaneContext) -> String {
    let expression = expression.wideningHalves
    guard varies(expression, along: lanes.axis) else { return splat(expression, lanes) }
    switch expression {
    case .load(let buffer, let type, let indices):
      return vectorLoad(buffer, type, indices[0], lanes) ?? laneByLane(expression, lanes)
    case .unary(let operation, let operand):
      return vectorUnary(operation, vector(operand, lanes), operand.dtype, lanes.width)
    case .binary(let operation, .binary(let inner, let first, let second), let third)
    where operation.isExtremum && inner == operation && first.dtype.isFloatingPoint:
      let values = [first, second, third].map { vector($0, lanes) }
      return call(
        "\(operation.rawValue)_of_three", first.dtype, lanes: lanes.width, values[0], values[1],
        values[2])
    case .binary(let operation, let first, let second):
      guard operation.hasVectorForm(first.dtype) else { return laneByLane(expression, lanes) }
      return vectorBinary(
        operation, vector(first, lanes), vector(second, lanes), first.dtype, lanes.width)
    case .select(let condition, let first, let second):
      return vectorSelect(condition, first, second, lanes)
    case .cast(let type, let operand):
      return vectorCast(vector(operand, lanes), from: operand.dtype, to: type, lanes.width)
    case .real, .integer, .index, .inRange: return laneByLane(expression, lanes)
    }
  }

  private mutating func splat(_ expression: Expression, _ lanes: LaneContext) -> String {
    call("set", expression.dtype, lanes: lanes.width, scalar(expression))
  }

  private mutating func vectorLoad(
    _ buffer: BufferID, _ type: DType, _ index: Index, _ lanes: LaneContext
  ) -> String? {
    let isPerLane = scratch[buffer]?.isPerLane == true
    let affine = AffineIndex(index)
    guard affine.isLinear(in: lanes.axis) else { return nil }
    let step = isPerLane ? 1 : affine.coefficient(of: lanes.axis)
    guard step == 1 || step == 2 && type != .bool else { return nil }
    let isPaired = step == 2 && scratch[buffer]?.isReadInPairs == true
    let start = isPerLane || lanes.copy == 0 ? "" : " + \(lanes.copy * lanes.width * step)"
    let saved = self.lanes
    self.lanes = lanes
    defer { self.lanes = saved }
    let place = "\(name(of: buffer)) + \(address(buffer, index))\(start)"
    if isPaired {
      return affine.constant % 2 == 0
        ? call("load_evens", type, lanes: lanes.width, place)
        : call("load_odds", type, lanes: lanes.width, "\(place) - 1")
    }
    return call(step == 1 ? "load" : "load_even", type, lanes: lanes.width, place)
  }

  /// Writes a loop that computes the value of each lane by scalar code, and gives the vector of them.
  mutating func laneByLane(_ expression: Expression, _ lanes: LaneContext) -> String {
    let result = fresh("v")
    let lane = fresh("l")
    line("\(vectorType(expression.dtype, lanes.width)) \(result);")
    line("#pragma GCC unroll \(lanes.width)")
    oneLane(lane, lanes) { writer in
      let value = writer.scalar(expression)
      writer.line("\(result)[\(lane)] = \(expression.dtype == .bool ? "-\(value)" : value);")
    }
    return result
  }

  /// Writes a loop over the lanes, in whose body the lane axis has the value of one lane.
  mutating func oneLane(_ lane: String, _ lanes: LaneContext, _ body: (inout CWriter) -> Void) {
    let savedNames = axisNames
    let savedLanes = self.lanes
    block("for (int \(lane) = 0; \(lane) < \(lanes.width); \(lane)++)") { writer in
      let axis = writer.name(of: lanes.axis)
      let variable = "\(axis)_\(lane)"
      writer.line(
        "const int64_t \(variable) = \(axis) + \(lanes.copy * lanes.width) + \(lane);")
      writer.line("(void)\(variable);")
      writer.axisNames[lanes.axis] = variable
      writer.lanes = lanes
      writer.lanes?.single = lane
      body(&writer)
    }
    axisNames = savedNames
    self.lanes = savedLanes
  }

  func vectorType(_ dtype: DType, _ width: Int) -> String {
    CLibrary.Item("", dtype == .bool ? .i32 : dtype, lanes: width).typeName
  }

  private mutating func vectorSelect(
    _ condition: Expression, _ first: Expression, _ second: Expression, _ lanes: LaneContext
  ) -> String {
    let counts = elementCounts
    let isSafe = [first, second].allSatisfy {
      bounds.isSafeToSpeculate($0, elementCounts: { counts[$0.position] })
    }
    let isUniform = !varies(condition, along: lanes.axis)
    let whole = Expression.select(condition, first, second)
    guard isSafe || isUniform else { return laneByLane(whole, lanes) }
    let written = lines.count
    let branches = (vector(first, lanes), vector(second, lanes))
    if !isSafe && lines.count > written {
      dropLines(after: written)
      return laneByLane(whole, lanes)
    }
    if isUniform { return "(\(scalar(condition)) ? \(branches.0) : \(branches.1))" }
    let mask = vector(condition, lanes)
    return call("select", first.dtype, lanes: lanes.width, mask, branches.0, branches.1)
  }

  mutating func vectorCast(_ value: String, from: DType, to: DType, _ width: Int) -> String {
    if from == to { return value }
    if from.isHalf {
      return vectorCast(call("widen", from, lanes: width, value), from: .f32, to: to, width)
    }
    if to.isHalf {
      return call(
        "narrow", to, lanes: width, vectorCast(value, from: from, to: .f32, width))
    }
    if to == .bool {
      let zero = call("set", from, lanes: width, "0")
      return vectorBinary(.notEqual, value, zero, from, width)
    }
    let type = vectorType(to, width)
    if from == .bool { return "__builtin_convertvector(-\(value), \(type))" }
    if from.isFloatingPoint && to.isInteger && to != .i64 {
      return
        "__builtin_convertvector(__builtin_convertvector(\(value), \(vectorType(.i64, width))), \(type))"
    }
    return "__builtin_convertvector(\(value), \(type))"
  }

  private mutating func vectorUnary(
    _ operation: UnaryOperator, _ operand: String, _ type: DType, _ width: Int
  ) -> String {
    switch operation {
    case .negate: return "(-\(operand))"
    case .logicalNot: return "(~\(operand))"
    case .bitwiseNot: return "(~\(operand))"
    case .isNaN where type.isFloatingPoint:
      return vectorBinary(.notEqual, operand, operand, type, width)
    case .isNaN, .isInfinite:
      guard type.isFloatingPoint else { return call("set", .bool, lanes: width, "0") }
      let size = call("absolute", type, lanes: width, operand)
      let infinity = call("set", type, lanes: width, dialect.infinity(type))
      return vectorBinary(.equal, size, infinity, type, width)
    case .round, .floor, .ceil, .truncate:
      return type.isFloatingPoint
        ? call(operation.rawValue, type, lanes: width, operand) : operand
    default: return call(operation.rawValue, type, lanes: width, operand)
    }
  }

  mutating func vectorBinary(
    _ operation: BinaryOperator, _ first: String, _ second: String, _ type: DType, _ width: Int
  ) -> String {
    if let symbol = operation.comparison {
      let mask = "(\(first) \(symbol) \(second))"
      if type == .bool { return mask }
      return type.sizeBytes == 4
        ? "((\(vectorType(.i32, width)))\(mask))"
        : "__builtin_convertvector(\(mask), \(vectorType(.i32, width)))"
    }
    switch operation {
    case .logicalAnd: return "(\(first) & \(second))"
    case .logicalOr: return "(\(first) | \(second))"
    case .logicalXor: return "(\(first) ^ \(second))"
    case .divide where type.isFloatingPoint: return "(\(first) / \(second))"
    default: break
    }
    if let symbol = operation.arithmetic { return "(\(first) \(symbol) \(second))" }
    return call(operation.rawValue, type, lanes: width, first, second)
  }
}

extension BinaryOperator {
  fileprivate var isExtremum: Bool { self == .maximum || self == .minimum }

  /// Whether the operator has a form for vectors of the type. The order of a comparison of `bool` vectors is
  /// not that of their values, because true is -1.
  func hasVectorForm(_ type: DType) -> Bool {
    guard type == .bool else { return true }
    return logical != nil || self == .equal || self == .notEqual
      || [.bitwiseAnd, .bitwiseOr, .bitwiseXor].contains(self)
  }
}
