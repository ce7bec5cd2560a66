import KernelSpec
import Support

/// Draws the values of one input, a block at a time.
struct RandomValues {
  private enum Kind {
    case real(InputDistribution)
    /// `0..<range`, less `offset`.
    case integers(range: UInt64, offset: Double)
    /// `0..<range`, and now and then `none`.
    case positions(range: UInt64, none: Double)
  }

  private let kind: Kind
  private let constant: Double
  /// Added to magnitudes, where values must be positive.
  private let lift: Double?
  private let largest: Double
  /// What real numbers are multiplied by.
  private let scale: Double
  private var random: SeededRandom

  init(
    _ distribution: InputDistribution, _ domain: InputDomain, of dtype: DType,
    _ scale: Double, _ random: inout SeededRandom
  ) {
    constant = random.uniform() * 4 - 2
    self.random = random
    self.scale = scale
    lift = domain == .positive ? (dtype.isFloatingPoint ? 1e-3 : 1) : nil
    largest = dtype == .bool ? 1 : .infinity
    switch (domain, dtype) {
    // A floating-point input may hold indices too.
    case (.index(let bound), _): kind = .integers(range: UInt64(max(1, bound)), offset: 0)
    case (.indexOr(let bound, let none), _):
      kind = .positions(range: UInt64(max(1, bound)), none: Double(none))
    case (.signedIndex(let bound), _):
      kind = .integers(range: UInt64(max(1, 2 * bound)), offset: Double(bound))
    case _ where dtype.isFloatingPoint: kind = .real(distribution)
    case (_, .bool): kind = .integers(range: 2, offset: 0)
    case (_, .u8): kind = .integers(range: 128, offset: 0)
    default: kind = .integers(range: 201, offset: 100)
    }
  }

  mutating func fill(_ block: UnsafeMutableBufferPointer<Double>) {
    switch kind {
    case .real(let distribution):
      fill(block, distribution)
      if scale != 1 { for index in block.indices { block[index] *= scale } }
    case .integers(let range, let offset):
      fill(block) { Double($0.next() % range) - offset }
    case .positions(let range, let none):
      fill(block) {
        let drawn = $0.next()
        return drawn >> 60 == 0 ? none : Double(drawn % range)
      }
    }
    guard let lift else { return }
    for index in block.indices { block[index] = min(block[index].magnitude + lift, largest) }
  }

  private mutating func fill(
    _ block: UnsafeMutableBufferPointer<Double>, _ distribution: InputDistribution
  ) {
    let constant = constant
    switch distribution {
    case .normal: fill(block) { normal(&$0) }
    case .uniform: fill(block) { $0.uniform() * 2 - 1 }
    case .large: fill(block) { normal(&$0) * 1000 }
    case .tiny: fill(block) { normal(&$0) * ($0.next() % 4 == 0 ? 0x1p-130 : 0x1p-20) }
    case .zeros: fill(block) { zeroOrNormal(&$0) }
    case .special: fill(block) { specialOrNormal(&$0) }
    case .constant: fill(block) { _ in constant }
    case .integers: fill(block) { Double($0.next() % 9) - 4 }
    case .wide:
      fill(block) {
        normal(&$0) * Double(sign: .plus, exponent: Int($0.next() % 17) - 8, significand: 1)
      }
    case .positive: fill(block) { normal(&$0).magnitude + 0.25 }
    }
  }

  @inline(__always)
  private mutating func fill(
    _ block: UnsafeMutableBufferPointer<Double>, _ value: (inout SeededRandom) -> Double
  ) {
    // A copy, which the compiler keeps in a register.
    var random = random
    for index in block.indices { block[index] = value(&random) }
    self.random = random
  }
}

/// One element in four is not a zero.
private func zeroOrNormal(_ random: inout SeededRandom) -> Double {
  switch random.next() % 4 {
  case 0: -0.0
  case 1: normal(&random)
  default: 0
  }
}

/// One element in 64 is not finite.
private func specialOrNormal(_ random: inout SeededRandom) -> Double {
  switch random.next() % 192 {
  case 0: .nan
  case 1: .infinity
  case 2: -.infinity
  default: normal(&random)
  }
}

/// The sum of six uniform numbers, scaled: mean 0, deviation 1, never beyond 4.25, and no logarithm whose last
/// bit depends on the C library. Four of them are short, since two long ones fill the digits.
@inline(__always)
private func normal(_ random: inout SeededRandom) -> Double {
  let short = random.next()
  let long = random.next()
  let shortSum =
    (short & 0xFFFF) + ((short >> 16) & 0xFFFF) + ((short >> 32) & 0xFFFF) + (short >> 48)
  let sum = (shortSum << 16) + (long & 0xFFFF_FFFF) + (long >> 32)
  // Six variances of 1/12 make 1/2; the mean is half of 4 (2^16 - 1) 2^16 + 2 (2^32 - 1).
  return (Double(Int64(bitPattern: sum)) - 12_884_770_815) * (0x1p-32 * 1.4142135623730951)
}
