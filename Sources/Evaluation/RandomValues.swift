import CNumerics
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
    case .real(let distribution): fill(block, distribution)
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
    switch distribution {
    case .normal: draw(GRANARY_NORMAL, into: block)
    case .uniform: draw(GRANARY_UNIFORM, into: block)
    case .large: draw(GRANARY_NORMAL, times: 1000, into: block)
    case .tiny: draw(GRANARY_TINY, into: block)
    case .zeros: draw(GRANARY_ZEROS, into: block)
    case .special: draw(GRANARY_SPECIAL, into: block)
    case .constant: block.update(repeating: constant * scale)
    case .integers: draw(GRANARY_INTEGERS, into: block)
    case .wide: draw(GRANARY_WIDE, into: block)
    case .positive: draw(GRANARY_POSITIVE, into: block)
    }
  }

  private mutating func draw(
    _ distribution: granary_distribution, times factor: Double = 1,
    into block: UnsafeMutableBufferPointer<Double>
  ) {
    granary_draw(
      distribution, &random.state, factor * scale, block.baseAddress, Int64(block.count))
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
