package import Hardware
package import KernelSpec

/// What keeps a kernel from being faster.
package enum Bottleneck: String, Sendable, Hashable, Codable, CaseIterable {
  /// The arithmetic units are the bound, or would be if they were kept busy.
  case compute
  /// Memory or caches are the bound.
  case memory
  /// Neither: starting, threads meeting, or loop edges take the time.
  case overhead
}

/// Why a kernel takes the time that it takes.
package struct Diagnosis: Sendable, Hashable, Codable {
  package var bottleneck: Bottleneck
  /// The least time for the arithmetic, and for the traffic, of the program on this hardware.
  package var arithmeticSeconds: Double
  package var trafficSeconds: Double
  package var measuredSeconds: Double

  /// The share of the measured ceiling that the kernel reaches.
  package var rooflineFraction: Double {
    measuredSeconds > 0 ? max(arithmeticSeconds, trafficSeconds) / measuredSeconds : 0
  }

  /// Compares a measured time with the least possible.
  ///
  /// The bottleneck is the larger of arithmetic and traffic, unless the program is so small that forking and
  /// joining threads, about 5 microseconds, can be most of the time and the ceiling is far away.
  package init(
    work: Work, dtype: DType, measuredSeconds: Double, ceilings: Ceilings
  ) {
    let roofline = Roofline(ceilings: ceilings)
    arithmeticSeconds = roofline.arithmeticSeconds(for: work, dtype: dtype)
    trafficSeconds = roofline.trafficSeconds(for: work)
    self.measuredSeconds = measuredSeconds
    let bound = max(arithmeticSeconds, trafficSeconds)
    if bound < Self.forkSeconds, bound < measuredSeconds * 0.5 {
      bottleneck = .overhead
    } else {
      bottleneck = arithmeticSeconds >= trafficSeconds ? .compute : .memory
    }
  }

  /// Measured for waking and joining two threads that sleep on a futex: 3 to 8 microseconds.
  private static let forkSeconds = 5e-6
}
