import Glibc

/// How fast a streaming loop moves bytes, by how many different bytes it goes over, again and again.
///
/// The sizes of caches say little about it: a hypervisor may show a share of a cache, neighbours may use the rest,
/// and what half fits in a cache is half as fast. So it is measured at several sizes.
package struct BandwidthCurve: Sendable, Hashable, Codable {
  /// In ascending order of their working sets.
  package var points: [Point]

  package struct Point: Sendable, Hashable, Codable {
    /// The bytes that all threads together go over.
    package var workingSetBytes: Double
    /// Bytes read plus bytes written a second, by all threads together.
    package var bytesPerSecond: Double

    package init(workingSetBytes: Double, bytesPerSecond: Double) {
      self.workingSetBytes = workingSetBytes
      self.bytesPerSecond = bytesPerSecond
    }
  }

  package init(_ points: [Point]) {
    self.points = points.sorted { $0.workingSetBytes < $1.workingSetBytes }
  }

  /// The rate at a working set: between two points the times of one byte are interpolated over the logarithm of
  /// the size, beyond them the nearest counts. 0 when nothing was measured.
  package func bytesPerSecond(workingSet: Double) -> Double {
    guard let first = points.first, let last = points.last else { return 0 }
    if workingSet <= first.workingSetBytes { return first.bytesPerSecond }
    guard let upper = points.firstIndex(where: { $0.workingSetBytes >= workingSet }) else {
      return last.bytesPerSecond
    }
    let (low, high) = (points[upper - 1], points[upper])
    guard low.bytesPerSecond > 0, high.bytesPerSecond > 0 else { return high.bytesPerSecond }
    let share =
      log(workingSet / low.workingSetBytes) / log(high.workingSetBytes / low.workingSetBytes)
    return 1 / ((1 - share) / low.bytesPerSecond + share / high.bytesPerSecond)
  }

  /// The rate at the largest working set: that of memory.
  package var farthest: Double { points.last?.bytesPerSecond ?? 0 }

  /// The higher rate at each working set; the other curve where that has others.
  package func raised(to other: BandwidthCurve) -> BandwidthCurve {
    guard points.map(\.workingSetBytes) == other.points.map(\.workingSetBytes) else { return self }
    return BandwidthCurve(
      zip(points, other.points).map { $0.bytesPerSecond > $1.bytesPerSecond ? $0 : $1 })
  }
}
