import CNumerics
package import KernelSpec
import Support

/// What the values of inputs look like.
package enum InputDistribution: String, Sendable, Hashable, CaseIterable {
  case normal
  /// -1 to 1.
  case uniform
  /// Normal, times 1000: sums lose digits.
  case large
  /// Down to denormals.
  case tiny
  /// Many positive and negative zeros.
  case zeros
  /// Some NaN and infinities; only the class of the results is compared.
  case special
  case constant
  /// Small integers: results are exact in every order of summation.
  case integers
  /// Of magnitudes from 1/256 to 256 times a normal number's: few elements decide a sum.
  case wide
  /// Nothing cancels, and nothing is cut off at zero.
  case positive

  /// Those that specs are verified on; the others are for specs that these tell nothing about.
  package static let standard: [InputDistribution] = [
    .normal, .uniform, .large, .tiny, .zeros, .special, .constant, .integers,
  ]
}

/// Makes the bytes of inputs. Equal seeds give equal bytes on every machine.
package struct InputGenerator: Sendable {
  private let interface: KernelInterface

  package init(_ interface: KernelInterface) { self.interface = interface }

  /// - Parameter scale: what floating-point values without a domain of their own are multiplied by.
  /// - Returns: for each input, all elements of its storage, also those that its strides skip.
  package func inputs(_ distribution: InputDistribution, seed: UInt64, scale: Double = 1)
    -> [[UInt8]]
  {
    var random = SeededRandom(seed: seed)
    return interface.inputs.enumerated().map { position, type in
      let domains = interface.inputDomains
      let domain = domains.indices.contains(position) ? domains[position] : .any
      var stream = random.split()
      return bytes(of: type, domain, distribution, scale, &stream)
    }
  }

  /// The inputs as a kernel would see them that reads half of the digits: f32 as bf16, f64 as f32.
  func narrowed(_ inputs: [[UInt8]]) -> [[UInt8]] {
    zip(interface.inputs, inputs).map { type, bytes in
      switch type.dtype {
      case .f32: Self.changed(bytes) { UInt32(Self.brainFloat(Float(bitPattern: $0))) << 16 }
      case .f64: Self.changed(bytes) { Double(Float(Double(bitPattern: $0))).bitPattern }
      default: bytes
      }
    }
  }

  private static func changed<Word: BitwiseCopyable>(_ bytes: [UInt8], _ change: (Word) -> Word)
    -> [UInt8]
  {
    [UInt8](byteCount: bytes.count) { target in
      bytes.withUnsafeBytes { source in
        for offset in stride(from: 0, to: source.count, by: MemoryLayout<Word>.size) {
          let word = source.loadUnaligned(fromByteOffset: offset, as: Word.self)
          target.storeBytes(of: change(word), toByteOffset: offset, as: Word.self)
        }
      }
    }
  }

  private func bytes(
    of type: TensorType, _ domain: InputDomain, _ distribution: InputDistribution,
    _ scale: Double, _ random: inout SeededRandom
  ) -> [UInt8] {
    var values = RandomValues(distribution, domain, of: type.dtype, scale, &random)
    let count = type.storageElementCount
    let size = type.dtype.sizeBytes
    return [UInt8](byteCount: count * size) { target in
      // Blocks that stay in the nearest cache; what differs between kinds is decided once a block.
      withUnsafeTemporaryAllocation(of: Double.self, capacity: Self.blockCount) { block in
        for first in stride(from: 0, to: count, by: Self.blockCount) {
          let part = UnsafeMutableBufferPointer(
            rebasing: block[..<min(Self.blockCount, count - first)])
          values.fill(part)
          Self.encode(part, type.dtype, into: target, at: first * size)
        }
      }
    }
  }

  private static let blockCount = 1024

  private static func encode(
    _ values: UnsafeMutableBufferPointer<Double>, _ dtype: DType,
    into target: UnsafeMutableRawBufferPointer, at offset: Int
  ) {
    switch dtype {
    case .f64: store(values, target, offset) { $0.bitPattern }
    case .f32:
      granary_narrow_reals(
        values.baseAddress,
        target.baseAddress?.advanced(by: offset).assumingMemoryBound(to: Float.self),
        Int64(values.count))
    case .f16: store(values, target, offset) { HalfFloat.encode(Float($0)) }
    case .bf16: store(values, target, offset) { brainFloat(Float($0)) }
    // A double holds every integer that is drawn without loss.
    case .i64: store(values, target, offset) { Int64($0) }
    case .i32: store(values, target, offset) { Int32(truncatingIfNeeded: Int64($0)) }
    case .i16: store(values, target, offset) { Int16(truncatingIfNeeded: Int64($0)) }
    case .i8, .u8, .bool: store(values, target, offset) { UInt8(truncatingIfNeeded: Int64($0)) }
    }
  }

  @inline(__always)
  private static func store<T: BitwiseCopyable>(
    _ values: UnsafeMutableBufferPointer<Double>, _ target: UnsafeMutableRawBufferPointer,
    _ offset: Int, _ encoded: (Double) -> T
  ) {
    let size = MemoryLayout<T>.size
    for index in values.indices {
      target.storeBytes(of: encoded(values[index]), toByteOffset: offset + index * size, as: T.self)
    }
  }

  @inline(__always)
  private static func brainFloat(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let rounded = value.isNaN ? 0x7FC0_0000 : bits &+ 0x7FFF &+ ((bits >> 16) & 1)
    return UInt16(truncatingIfNeeded: rounded >> 16)
  }
}
