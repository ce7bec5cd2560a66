/// A random number generator whose whole state is one value that can be stored and restored.
///
/// Guarantees the same sequence from the same state on every machine and in every process. Not for
/// cryptography.
///
/// Source: SplitMix64, Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators"
/// (OOPSLA 2014).
package struct SeededRandom: RandomNumberGenerator, Sendable, Hashable, Codable {
  /// The state; storing it is a checkpoint.
  package var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number in `0..<1` with 53 random bits.
  package mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A generator for an independent stream, which advances this one once.
  package mutating func split() -> SeededRandom { SeededRandom(seed: next()) }
}
