package import KernelSpec

/// A tensor of the reference evaluator: row-major, without strides.
package struct TensorValue: Sendable, Hashable {
  package var dtype: DType
  package var shape: [Int]
  package var storage: Storage

  package enum Storage: Sendable, Hashable {
    /// Of a floating-point type; numbers may have more digits than the type has.
    case reals([Double])
    /// Of an integer type or `bool`, within its range.
    case integers([Int64])
  }

  package init(_ dtype: DType, _ shape: [Int], reals: [Double]) {
    self.dtype = dtype
    self.shape = shape
    storage = .reals(reals)
  }

  package init(_ dtype: DType, _ shape: [Int], integers: [Int64]) {
    self.dtype = dtype
    self.shape = shape
    storage = .integers(integers)
  }

  package var elementCount: Int { shape.reduce(1, *) }

  /// The elements as real numbers; integers beyond 2⁵³ lose digits.
  package var reals: [Double] {
    switch storage {
    case .reals(let values): values
    case .integers(let values): values.map(Double.init)
    }
  }

  /// The same tensor with each number rounded to its type.
  package var rounded: TensorValue {
    guard case .reals(let values) = storage else { return self }
    return TensorValue(dtype, shape, reals: values.map(dtype.rounded))
  }
}

extension TensorValue {
  /// Reads a tensor of type `type` from memory in native byte order.
  ///
  /// - Returns: `nil` when `bytes` are fewer than the type needs.
  package init?(bytes: UnsafeRawBufferPointer, type: TensorType) {
    guard bytes.count >= type.storageBytes else { return nil }
    let offsets = type.elementOffsets
    if type.dtype.isFloatingPoint {
      self.init(type.dtype, type.shape, reals: offsets.map { type.dtype.loadReal(bytes, at: $0) })
    } else {
      self.init(
        type.dtype, type.shape, integers: offsets.map { type.dtype.loadInteger(bytes, at: $0) })
    }
  }

  /// Reads a tensor of type `type` from an array; see `init(bytes:type:)`.
  package init?(bytes: [UInt8], type: TensorType) {
    guard let value = bytes.withUnsafeBytes({ TensorValue(bytes: $0, type: type) }) else {
      return nil
    }
    self = value
  }

  /// The tensor in memory as `type` lays it out, rounded to its type; gaps are zero.
  ///
  /// - Returns: `nil` when the type has another dtype or shape.
  package func bytes(as type: TensorType) -> [UInt8]? {
    guard type.dtype == dtype, type.shape == shape else { return nil }
    var bytes = [UInt8](repeating: 0, count: type.storageBytes)
    bytes.withUnsafeMutableBytes { memory in
      for (position, offset) in type.elementOffsets.enumerated() {
        switch storage {
        case .reals(let values): dtype.storeReal(values[position], memory, at: offset)
        case .integers(let values): dtype.storeInteger(values[position], memory, at: offset)
        }
      }
    }
    return bytes
  }
}

extension TensorType {
  /// Where each element lies, in elements, in row-major order of the logical positions.
  var elementOffsets: [Int] {
    var offsets = [0]
    for (extent, stride) in zip(shape, resolvedStrides) {
      var next: [Int] = []
      next.reserveCapacity(offsets.count * extent)
      for offset in offsets {
        for position in 0..<extent { next.append(offset + position * stride) }
      }
      offsets = next
    }
    return offsets
  }
}

extension DType {
  fileprivate func loadReal(_ bytes: UnsafeRawBufferPointer, at element: Int) -> Double {
    let offset = element * sizeBytes
    switch self {
    case .f32: return Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float.self))
    case .f16: return Double(bytes.loadUnaligned(fromByteOffset: offset, as: Float16.self))
    case .bf16:
      let bits = UInt32(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) << 16
      return Double(Float(bitPattern: bits))
    default: return bytes.loadUnaligned(fromByteOffset: offset, as: Double.self)
    }
  }

  fileprivate func loadInteger(_ bytes: UnsafeRawBufferPointer, at element: Int) -> Int64 {
    let offset = element * sizeBytes
    return switch self {
    case .i32: Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    case .i16: Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int16.self))
    case .i8: Int64(bytes.loadUnaligned(fromByteOffset: offset, as: Int8.self))
    case .u8: Int64(bytes[offset])
    case .bool: bytes[offset] != 0 ? 1 : 0
    default: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self)
    }
  }

  fileprivate func storeReal(
    _ value: Double, _ memory: UnsafeMutableRawBufferPointer, at element: Int
  ) {
    let offset = element * sizeBytes
    switch self {
    case .f32: memory.storeBytes(of: Float(value), toByteOffset: offset, as: Float.self)
    case .f16: memory.storeBytes(of: Float16(value), toByteOffset: offset, as: Float16.self)
    case .bf16:
      memory.storeBytes(of: Self.bfloatBits(value), toByteOffset: offset, as: UInt16.self)
    default: memory.storeBytes(of: value, toByteOffset: offset, as: Double.self)
    }
  }

  fileprivate func storeInteger(
    _ value: Int64, _ memory: UnsafeMutableRawBufferPointer, at element: Int
  ) {
    let offset = element * sizeBytes
    switch sizeBytes {
    case 4:
      memory.storeBytes(of: Int32(truncatingIfNeeded: value), toByteOffset: offset, as: Int32.self)
    case 2:
      memory.storeBytes(of: Int16(truncatingIfNeeded: value), toByteOffset: offset, as: Int16.self)
    case 1: memory[offset] = UInt8(truncatingIfNeeded: value)
    default: memory.storeBytes(of: value, toByteOffset: offset, as: Int64.self)
    }
  }
}
