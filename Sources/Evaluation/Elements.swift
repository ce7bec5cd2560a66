import CNumerics
package import KernelSpec

/// The elements of a tensor as they are stored, one after the other.
package struct TensorElements: Sendable, Hashable {
  package let dtype: DType
  package let count: Int
  private let bytes: [UInt8]

  /// The first `count` elements of `dtype`; fewer when the bytes end before.
  package init(_ bytes: [UInt8], dtype: DType, count: Int) {
    self.dtype = dtype
    self.count = min(count, bytes.count / dtype.sizeBytes)
    self.bytes = bytes
  }

  package static func real(_ values: [Double]) -> TensorElements {
    TensorElements(values.withUnsafeBytes { Array($0) }, dtype: .f64, count: values.count)
  }

  package static func integers(_ values: [Int64]) -> TensorElements {
    TensorElements(values.withUnsafeBytes { Array($0) }, dtype: .i64, count: values.count)
  }

  /// The elements of a floating-point type, widened; empty for another type.
  package var reals: [Double] {
    guard dtype.isFloatingPoint else { return [] }
    return [Double](unsafeUninitializedCapacity: count) { target, written in
      withUnsafeBytes { raw in
        if let from = raw.baseAddress, let to = target.baseAddress {
          granary_widen_reals(dtype.stored, from, to, Int64(count))
        }
      }
      written = count
    }
  }

  /// The elements of an integer type or of `bool`, widened; empty for another type.
  package var integers: [Int64] {
    guard !dtype.isFloatingPoint else { return [] }
    return [Int64](unsafeUninitializedCapacity: count) { target, written in
      withUnsafeBytes { raw in
        if let from = raw.baseAddress, let to = target.baseAddress {
          granary_widen_integers(dtype.stored, from, to, Int64(count))
        }
      }
      written = count
    }
  }

  /// How many elements of an `f64` tensor have magnitudes of at most `limit`.
  func count(upTo limit: Double) -> Int {
    withUnsafeBytes { raw in
      guard dtype == .f64, let values = raw.baseAddress?.assumingMemoryBound(to: Double.self) else {
        return 0
      }
      return Int(granary_count_up_to(limit, values, Int64(count)))
    }
  }

  /// One element for people, as the widest type of its kind.
  func text(at index: Int) -> String {
    let size = dtype.sizeBytes
    let one = TensorElements(
      Array(bytes[index * size..<(index + 1) * size]), dtype: dtype, count: 1)
    return dtype.isFloatingPoint ? "\(one.reals[0])" : "\(one.integers[0])"
  }

  func withUnsafeBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value {
    bytes.withUnsafeBytes {
      body(UnsafeRawBufferPointer(rebasing: $0[..<(count * dtype.sizeBytes)]))
    }
  }
}

extension DType {
  /// How `CNumerics` calls it.
  var stored: granary_element {
    switch self {
    case .f64: GRANARY_F64
    case .f32: GRANARY_F32
    case .f16: GRANARY_F16
    case .bf16: GRANARY_BF16
    case .i64: GRANARY_I64
    case .i32: GRANARY_I32
    case .i16: GRANARY_I16
    case .i8: GRANARY_I8
    case .u8, .bool: GRANARY_U8
    }
  }

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

/// Rounding to IEEE 754 binary16 that does not depend on the machine's instructions.
enum HalfFloat {
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
