package import KernelSpec

/// The elements of a tensor as wide numbers.
package enum TensorElements: Sendable, Hashable {
  case real([Double])
  case integers([Int64])

  package var count: Int {
    switch self {
    case .real(let values): values.count
    case .integers(let values): values.count
    }
  }

  /// Reads `count` elements of `dtype`, stored one after the other.
  package init(_ bytes: [UInt8], dtype: DType, count: Int) {
    let count = min(count, bytes.count / dtype.sizeBytes)
    self = bytes.withUnsafeBytes { raw in
      switch dtype {
      case .f64: .real(Self.read(raw, count, Double.self) { $0 })
      case .f32: .real(Self.read(raw, count, Float.self) { Double($0) })
      case .f16: .real(Self.read(raw, count, UInt16.self) { Double(HalfFloat.decode($0)) })
      case .bf16:
        .real(
          Self.read(raw, count, UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) })
      case .i64: .integers(Self.read(raw, count, Int64.self) { $0 })
      case .i32: .integers(Self.read(raw, count, Int32.self) { Int64($0) })
      case .i16: .integers(Self.read(raw, count, Int16.self) { Int64($0) })
      case .i8: .integers(Self.read(raw, count, Int8.self) { Int64($0) })
      case .u8, .bool: .integers(Self.read(raw, count, UInt8.self) { Int64($0) })
      }
    }
  }

  private static func read<T: BitwiseCopyable, U>(
    _ raw: UnsafeRawBufferPointer, _ count: Int, _ type: T.Type, _ widen: (T) -> U
  ) -> [U] {
    (0..<count).map { index in
      widen(raw.loadUnaligned(fromByteOffset: index * MemoryLayout<T>.size, as: type))
    }
  }
}

/// Conversions of IEEE 754 binary16 that do not depend on the machine's instructions.
enum HalfFloat {
  static func decode(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10) & 31
    let fraction = UInt32(bits & 0x3FF)
    if exponent == 31 { return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13) }
    if exponent == 0 {
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    }
    return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
  }

  /// Rounds to the nearest, ties to even.
  static func encode(_ value: Float) -> UInt16 {
    let sign = UInt16(truncatingIfNeeded: value.bitPattern >> 16) & 0x8000
    let magnitude = value.magnitude
    if magnitude.isNaN { return sign | 0x7E00 }
    if magnitude >= 65520 { return sign | 0x7C00 }
    if magnitude < 0x1p-14 {
      return sign | UInt16((magnitude * 0x1p24).rounded(.toNearestOrEven))
    }
    let bits = magnitude.bitPattern &- (112 << 23)
    let rounded = bits &+ 0xFFF &+ ((bits >> 13) & 1)
    return sign | UInt16(truncatingIfNeeded: rounded >> 13)
  }
}

extension DType {
  /// The largest finite value of a floating-point type.
  var largestFinite: Double {
    switch self {
    case .f16: 65504
    case .bf16: 0x1.FEp127
    case .f32: Double(Float.greatestFiniteMagnitude)
    default: .greatestFiniteMagnitude
    }
  }
}
