/// PyTorch's rules for the dtype and shape of combined operands.
///
/// Source: `c10::promoteTypes` and `torch.result_type` (ATen/native/TypeProperties.cpp).
package enum TypePromotion {
  /// The smallest type that holds both.
  package static func promote(_ first: DType, _ second: DType) -> DType {
    if first == second { return first }
    let (low, high) = rank(first) < rank(second) ? (first, second) : (second, first)
    if low == .u8, high == .i8 { return .i16 }
    if low == .f16, high == .bf16 { return .f32 }
    return high
  }

  private static func rank(_ dtype: DType) -> Int {
    switch dtype {
    case .bool: 0
    case .u8: 1
    case .i8: 2
    case .i16: 3
    case .i32: 4
    case .i64: 5
    case .f16: 6
    case .bf16: 7
    case .f32: 8
    case .f64: 9
    }
  }

  /// An operand as promotion sees it.
  package enum Operand: Sendable {
    case tensor(TensorType)
    case scalar(CheckedSpec.Scalar)
  }

  /// The dtype of the result of operands of mixed kinds: tensors with dimensions count more than
  /// those without, and those more than plain numbers, unless a lesser one is of a higher category.
  ///
  /// - Returns: `nil` for no operands.
  package static func resultType(_ operands: [Operand]) -> DType? {
    var byPriority: [DType?] = [nil, nil, nil]
    for operand in operands {
      let (priority, dtype): (Int, DType) =
        switch operand {
        case .tensor(let type): (type.rank > 0 ? 0 : 1, type.dtype)
        case .scalar(.boolean): (2, .bool)
        case .scalar(.integer): (2, .i64)
        case .scalar(.real): (2, .f32)
        }
      byPriority[priority] = byPriority[priority].map { promote($0, dtype) } ?? dtype
    }
    return combine(byPriority[0], combine(byPriority[1], byPriority[2]))
  }

  private static func combine(_ higher: DType?, _ lower: DType?) -> DType? {
    guard let higher else { return lower }
    guard let lower, !higher.isFloatingPoint else { return higher }
    return higher == .bool || lower.isFloatingPoint ? promote(higher, lower) : higher
  }

  /// The shape that both can be repeated to.
  ///
  /// - Throws: `SpecError` with code `type`.
  package static func broadcast(_ first: [Int], _ second: [Int]) throws(SpecError) -> [Int] {
    let rank = max(first.count, second.count)
    var shape = [Int](repeating: 1, count: rank)
    for position in 0..<rank {
      let one = position < first.count ? first[first.count - 1 - position] : 1
      let two = position < second.count ? second[second.count - 1 - position] : 1
      guard one == two || one == 1 || two == 1 else {
        throw SpecError(.type, "the shapes \(first) and \(second) do not broadcast together")
      }
      shape[rank - 1 - position] = one == 1 ? two : one
    }
    return shape
  }
}
