import Glibc

/// What one candidate taught: a schedule of a program, in numbers, and what it gave.
package struct CostSample: Sendable, Hashable {
  /// By name; a name that another sample has and this one has not is a missing value.
  package var features: [String: Float]
  /// The logarithm to base 2 of the speedup over the baseline of the sample's search.
  package var gain: Float

  /// - Parameter speedup: over the baseline; what is not positive counts as ``worst``.
  package init(features: [String: Float], speedup: Double) {
    self.features = features
    let gain = speedup > 0 && speedup.isFinite ? Self.logarithm(speedup) : Self.worst
    self.gain = max(Self.worst, min(-Self.worst, gain))
  }

  init(features: [String: Float], gain: Float) {
    self.features = features
    self.gain = gain
  }

  /// How much slower than its baseline a candidate counts at most, in doublings: what is an eighth as fast and what
  /// does not work at all are equally worthless.
  package static let worst: Float = -3

  private static func logarithm(_ speedup: Double) -> Float { log2f(Float(speedup)) }
}
