package import KernelSpec

extension DType {
  /// `value` modulo the width of this integer type; for `bool`, whether it is not zero.
  package func wrapped(_ value: Int64) -> Int64 {
    switch self {
    case .i32: Int64(Int32(truncatingIfNeeded: value))
    case .i16: Int64(Int16(truncatingIfNeeded: value))
    case .i8: Int64(Int8(truncatingIfNeeded: value))
    case .u8: Int64(UInt8(truncatingIfNeeded: value))
    case .bool: value != 0 ? 1 : 0
    default: value
    }
  }

  /// The number of this floating-point type nearest to `value`, ties to even.
  package func rounded(_ value: Double) -> Double {
    switch self {
    case .f32: Double(Float(value))
    case .f16: Double(Float16(value))
    case .bf16: Double(Float(bitPattern: UInt32(Self.bfloatBits(value)) << 16))
    default: value
    }
  }

  /// The bits of the `bf16` nearest to `value`.
  ///
  /// Rounds to odd on the way to `f32`, so that rounding twice gives what rounding once does.
  package static func bfloatBits(_ value: Double) -> UInt16 {
    if value.isNaN { return 0x7FC0 }
    var bits = Float(value).bitPattern
    let back = Double(Float(bitPattern: bits))
    if value.isFinite, back.isFinite, back != value, bits & 1 == 0 {
      bits = abs(back) > abs(value) ? bits - 1 : bits + 1
    }
    return UInt16(truncatingIfNeeded: (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16)
  }

  /// Whether a conversion from `source` to this floating-point type can lose digits.
  package func rounds(from source: DType) -> Bool {
    switch (self, source) {
    case (_, self), (.f64, _), (_, .bool), (.f32, .f16), (.f32, .bf16): false
    case (.f32, .i8), (.f32, .u8), (.f32, .i16), (.f16, .i8), (.f16, .u8), (.bf16, .i8),
      (.bf16, .u8):
      false
    default: true
    }
  }
}

extension TensorProgram {
  /// The buffers that some stage reads.
  package var observedBuffers: Set<BufferID> { Set(stages.flatMap(\.loads).map(\.buffer)) }
}

extension Stage {
  /// Whether the output's type cannot hold what the stage computes.
  ///
  /// Lowering writes arithmetic on 16-bit types as arithmetic on `f32` and leaves the narrowing to the store; a
  /// stage that reads it must see the narrow value, as every operator of PyTorch does. What nothing reads
  /// keeps its digits: a comparison with it has its own tolerance. A recurrence stores what its body has rounded.
  package func roundsItsResult(in program: TensorProgram) -> Bool {
    let type = program[output].type.dtype
    guard type.isFloatingPoint, recurrence == nil else { return false }
    return type == .f16 || type == .bf16 || type.rounds(from: value.dtype)
  }
}
