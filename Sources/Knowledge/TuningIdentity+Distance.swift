import Glibc
import Hardware

extension TuningIdentity {
  /// How far the best schedules of two kinds of hardware are expected to be apart, in doublings of a size.
  func distance(to other: TuningIdentity) -> Double {
    var distance = 0.0
    if architecture != other.architecture { distance += 4 }
    if vectorBytes != other.vectorBytes { distance += 2 }
    if model != other.model { distance += 1 }
    return distance + abs(log2(Double(max(1, threads)) / Double(max(1, other.threads))))
  }
}
