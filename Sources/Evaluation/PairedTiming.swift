package import KernelSpec
import Support

/// Paired measurements of a candidate and of what it is to replace.
package struct PairedTiming: Sendable, Hashable {
  /// The fastest calls of bursts with warm caches, in the order taken.
  package var candidateNanoseconds: [Double]
  /// Each measured next to the one above.
  package var incumbentNanoseconds: [Double]
  /// The median of the paired ratios incumbent / candidate.
  package var speedup: Double
  /// The lower bound of the 95 % confidence interval of `speedup`.
  package var speedupLowerBound: Double
  /// Whether measuring ended early because the result was clear.
  package var stoppedEarly: Bool
  /// How many pairs other work on the machine disturbed. They were taken again.
  package var disturbedPairs: Int
  /// Whether enough pairs were undisturbed; if not, the disturbed ones count too.
  package var isQuiet: Bool

  /// - Parameter seed: of the resampling, so that the same samples give the same bound.
  package init(
    candidateNanoseconds: [Double], incumbentNanoseconds: [Double], stoppedEarly: Bool,
    disturbedPairs: Int = 0, isQuiet: Bool = true, seed: UInt64
  ) {
    let ratios = zip(incumbentNanoseconds, candidateNanoseconds).map { $0 / max($1, 1) }
    self.candidateNanoseconds = candidateNanoseconds
    self.incumbentNanoseconds = incumbentNanoseconds
    self.stoppedEarly = stoppedEarly
    self.disturbedPairs = disturbedPairs
    self.isQuiet = isQuiet
    speedup = ratios.median
    speedupLowerBound = Self.lowerBound(ratios, seed: seed)
  }

  /// The candidate's typical time.
  package var nanoseconds: Double { candidateNanoseconds.median }

  /// As evidence keeps it.
  ///
  /// - Parameter floorNanoseconds: the time that the hardware's ceilings allow at best.
  package func evidence(floorNanoseconds: Double) -> Evidence.Timing {
    Evidence.Timing(
      kernelNanoseconds: candidateNanoseconds, baselineNanoseconds: incumbentNanoseconds,
      speedup: speedup, speedupLowerBound: speedupLowerBound,
      rooflineFraction: floorNanoseconds / max(nanoseconds, 1))
  }

  /// The percentile bootstrap of the median: Efron and Tibshirani, "An Introduction to the
  /// Bootstrap", §13.3.
  private static func lowerBound(_ ratios: [Double], seed: UInt64) -> Double {
    guard ratios.count > 1 else { return 0 }
    var random = SeededRandom(seed: seed)
    let resamples = 1000
    let medians = (0..<resamples).map { _ in
      (0..<ratios.count).map { _ in ratios[Int(random.next() % UInt64(ratios.count))] }.median
    }
    return medians.sorted()[resamples * 25 / 1000]
  }
}
