package import KernelSpec

/// The least time that a program can take on measured hardware.
///
/// Source: Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore
/// architectures" (CACM 52(4), 2009).
package struct Roofline: Sendable, Hashable {
  package var ceilings: Ceilings

  package init(ceilings: Ceilings) { self.ceilings = ceilings }

  /// Where a program's inputs and outputs are when it starts.
  package enum Residence: String, Sendable, Hashable, Codable {
    case memory
    case lastLevelCache
    /// In the caches that each core has for itself.
    case coreCaches

    /// The nearest place that holds `bytes` on `hardware`, when the program runs again and again.
    package init(of bytes: Double, on hardware: TuningIdentity) {
      let caches = hardware.cacheBytes
      let own = Double(caches.prefix(2).max() ?? 0) * Double(hardware.threads)
      let shared = Double(caches.count > 2 ? caches[2] : 0)
      // The last-level cache counts whole and with the cores' own: what is partly cached may be faster
      // than memory, and the bound must hold.
      self = bytes <= own ? .coreCaches : bytes <= shared + own ? .lastLevelCache : .memory
    }
  }

  /// A lower bound of the time for `work` whose arithmetic is done in `dtype`: the larger of the time for
  /// the arithmetic and the time for the traffic. 0 when nothing was measured that bounds it.
  package func seconds(for work: Work, dtype: DType, residence: Residence) -> Double {
    max(
      arithmeticSeconds(for: work, dtype: dtype), trafficSeconds(for: work, residence: residence))
  }

  /// The time for the arithmetic alone.
  package func arithmeticSeconds(for work: Work, dtype: DType) -> Double {
    time(work.floatingPointOperations, at: operationsPerSecond(dtype))
  }

  /// The time for the inputs and outputs alone.
  package func trafficSeconds(for work: Work, residence: Residence) -> Double {
    time(work.bytes, at: bytesPerSecond(residence))
  }

  /// The share of the ceiling that a kernel reaches which takes `measured` seconds: 1 is the bound.
  package func fraction(
    measured: Double, for work: Work, dtype: DType, residence: Residence
  ) -> Double {
    guard measured > 0 else { return 0 }
    return seconds(for: work, dtype: dtype, residence: residence) / measured
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

  private func bytesPerSecond(_ residence: Residence) -> Double {
    let memory = max(
      ceilings.readBytesPerSecond, ceilings.copyBytesPerSecond,
      ceilings.streamingCopyBytesPerSecond)
    switch residence {
    case .memory: return memory
    case .lastLevelCache: return max(memory, ceilings.cachedReadBytesPerSecond)
    // Two loads and a store for each pair of fused multiply-adds is the most that cores do: with 4 bytes
    // an operand and two operations a lane, 3 bytes for each operation of the f32 peak.
    case .coreCaches:
      return max(
        memory, ceilings.cachedReadBytesPerSecond, 3 * (ceilings.operationsPerSecond[.f32] ?? 0))
    }
  }

  private func time(_ amount: Double, at rate: Double) -> Double { rate > 0 ? amount / rate : 0 }
}
