/// The type of one element of a tensor.
public enum DType: String, Sendable, Hashable, CaseIterable, Codable {
  case f64, f32, f16, bf16, i64, i32, i16, i8, u8, bool

  /// The size of one element in memory.
  public var sizeBytes: Int {
    switch self {
    case .f64, .i64: 8
    case .f32, .i32: 4
    case .f16, .bf16, .i16: 2
    case .i8, .u8, .bool: 1
    }
  }

  public var isFloatingPoint: Bool {
    switch self {
    case .f64, .f32, .f16, .bf16: true
    default: false
    }
  }

  /// Whether the type is a signed or unsigned integer; `bool` is not one.
  public var isInteger: Bool { !isFloatingPoint && self != .bool }

  /// The type in which arithmetic on this type is done: `f32` for the 16-bit floating-point types.
  package var computeType: DType { self == .f16 || self == .bf16 ? .f32 : self }
}
