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
}

/// Makes the bytes of inputs. Equal seeds give equal bytes on every machine.
package struct InputGenerator: Sendable {
  private let interface: KernelInterface

  package init(_ interface: KernelInterface) { self.interface = interface }

  /// - Returns: for each input, all elements of its storage, also those that its strides skip.
  package func inputs(_ distribution: InputDistribution, seed: UInt64) -> [[UInt8]] {
    var random = SeededRandom(seed: seed)
    return interface.inputs.enumerated().map { position, type in
      let domains = interface.inputDomains
      let domain = domains.indices.contains(position) ? domains[position] : .any
      var stream = random.split()
      return Self.bytes(of: type, domain, distribution, &stream)
    }
  }

  private static func bytes(
    of type: TensorType, _ domain: InputDomain, _ distribution: InputDistribution,
    _ random: inout SeededRandom
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(type.storageBytes)
    let constant = random.uniform() * 4 - 2
    for _ in 0..<type.storageElementCount {
      switch domain {
      case .index(let bound):
        append(Int64(random.next() % UInt64(max(1, bound))), type.dtype, to: &bytes)
      case .signedIndex(let bound):
        let value = Int64(random.next() % UInt64(max(1, 2 * bound))) - Int64(bound)
        append(value, type.dtype, to: &bytes)
      case .any, .positive:
        if type.dtype.isFloatingPoint {
          var value = real(distribution, constant, &random)
          if domain == .positive { value = value.magnitude + 1e-3 }
          append(value, type.dtype, to: &bytes)
        } else {
          let range: UInt64 = type.dtype == .bool ? 2 : type.dtype == .u8 ? 128 : 201
          let offset: Int64 = range == 201 ? 100 : 0
          let value = Int64(random.next() % range) - offset
          append(domain == .positive ? abs(value) + 1 : value, type.dtype, to: &bytes)
        }
      }
    }
    return bytes
  }

  private static func real(
    _ distribution: InputDistribution, _ constant: Double, _ random: inout SeededRandom
  ) -> Double {
    switch distribution {
    case .normal: normal(&random)
    case .uniform: random.uniform() * 2 - 1
    case .large: normal(&random) * 1000
    case .tiny: normal(&random) * (random.next() % 4 == 0 ? 0x1p-130 : 0x1p-20)
    case .zeros: [0.0, -0.0, normal(&random), 0.0][Int(random.next() % 4)]
    case .special: special(&random)
    case .constant: constant
    case .integers: Double(random.next() % 9) - 4
    }
  }

  /// One element in 64 is not finite.
  private static func special(_ random: inout SeededRandom) -> Double {
    switch random.next() % 192 {
    case 0: .nan
    case 1: .infinity
    case 2: -.infinity
    default: normal(&random)
    }
  }

  /// The sum of twelve uniform numbers less six: mean 0, deviation 1, never beyond 6, and no
  /// logarithm whose last bit depends on the C library.
  private static func normal(_ random: inout SeededRandom) -> Double {
    var sum = -6.0
    for _ in 0..<4 {
      let word = random.next()
      for shift in [0, 21, 42] as [UInt64] {
        sum += (Double((word >> shift) & 0x1F_FFFF) + 0.5) * 0x1p-21
      }
    }
    return sum
  }

  private static func append(_ value: Double, _ dtype: DType, to bytes: inout [UInt8]) {
    switch dtype {
    case .f64: append(bits: value.bitPattern, 8, to: &bytes)
    case .f16: append(bits: UInt64(HalfFloat.encode(Float(value))), 2, to: &bytes)
    case .bf16:
      let bits = Float(value).bitPattern
      let rounded = value.isNaN ? 0x7FC0_0000 : bits &+ 0x7FFF &+ ((bits >> 16) & 1)
      append(bits: UInt64(rounded >> 16), 2, to: &bytes)
    default: append(bits: UInt64(Float(value).bitPattern), 4, to: &bytes)
    }
  }

  /// A floating-point input may hold indices too.
  private static func append(_ value: Int64, _ dtype: DType, to bytes: inout [UInt8]) {
    if dtype.isFloatingPoint {
      append(Double(value), dtype, to: &bytes)
    } else {
      append(bits: UInt64(bitPattern: value), dtype.sizeBytes, to: &bytes)
    }
  }

  private static func append(bits: UInt64, _ count: Int, to bytes: inout [UInt8]) {
    for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))) }
  }
}
