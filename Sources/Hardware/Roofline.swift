package import KernelSpec

/// The least time that a program can take on measured hardware.
///
/// Two ceilings: arithmetic at the measured peak of the type, and traffic at the rate that streaming loops of the
/// same mix of reads and writes, over as many bytes and with as many threads, reach on this machine. A program at
/// 100 % of the second is as fast as the best plain loop that does nothing but move its inputs and outputs.
///
/// Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore
/// architectures" (CACM 52(4), 2009).
package struct Roofline: Sendable, Hashable {
  package var ceilings: Ceilings

  package init(ceilings: Ceilings) { self.ceilings = ceilings }

  /// A lower bound of the time for `work` whose arithmetic is done in `dtype`, when it runs again and again: the
  /// larger of the time for the arithmetic and the time for the traffic. 0 when nothing was measured that
  /// bounds it.
  package func seconds(for work: Work, dtype: DType) -> Double {
    max(arithmeticSeconds(for: work, dtype: dtype), trafficSeconds(for: work))
  }

  /// The time for the arithmetic alone.
  package func arithmeticSeconds(for work: Work, dtype: DType) -> Double {
    time(work.floatingPointOperations, at: operationsPerSecond(dtype))
  }

  /// The time for the inputs and outputs alone: what is read and written in equal parts at the rate of copying,
  /// the rest at that of reading or writing.
  package func trafficSeconds(for work: Work) -> Double {
    let written = min(work.bytesWritten, work.bytes)
    let read = work.bytes - written
    let rate = { (curve: BandwidthCurve) in curve.bytesPerSecond(workingSet: work.bytes) }
    return time(2 * min(read, written), at: rate(ceilings.copy))
      + time(max(read - written, 0), at: rate(ceilings.read))
      + time(max(written - read, 0), at: rate(ceilings.write))
  }

  /// The share of the ceiling that a kernel reaches which takes `measured` seconds: 1 is the bound.
  package func fraction(measured: Double, for work: Work, dtype: DType) -> Double {
    guard measured > 0 else { return 0 }
    return seconds(for: work, dtype: dtype) / measured
  }

  /// The measured rate, or one that no processor exceeds: a narrower type has as many times more lanes.
  private func operationsPerSecond(_ dtype: DType) -> Double {
    let rates = ceilings.operationsPerSecond
    if let rate = rates[dtype] { return rate }
    switch dtype {
    case .f16, .bf16: return rates[.f32] ?? 0
    default: return (rates[.f32] ?? 0) * 4 / Double(dtype.sizeBytes)
    }
  }

  private func time(_ amount: Double, at rate: Double) -> Double { rate > 0 ? amount / rate : 0 }
}
