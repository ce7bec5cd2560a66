import CHardware
import KernelSpec

/// Measures what this machine can do at best.
package enum CeilingsMeasurement {
  /// Measures arithmetic and memory with `threads` threads, in well under 1.5 seconds on an idle machine.
  ///
  /// Each figure is the best of several short rounds, so a disturbance makes it wrong only if it lasts. The
  /// memory rates need two buffers beyond the last-level cache; with too little memory they are 0.
  ///
  /// - Parameter cacheBytes: as in `TuningIdentity`; those of this machine when absent.
  package static func measure(threads: Int, cacheBytes: [Int]? = nil) -> Ceilings {
    let cacheBytes = cacheBytes ?? (try? HardwareProbe.host())?.tuning.cacheBytes ?? []
    let threads = Int32(clamping: max(1, threads))
    let last = cacheBytes.last { $0 > 0 } ?? 0
    let source = ProbeMemory(bytes: beyond(lastLevel: last), threads: threads)
    let destination = ProbeMemory(bytes: beyond(lastLevel: last), threads: threads)
    // Half the cache: the other half is left to whatever else runs.
    let cached = max(1024 * Int(threads), (last == 0 ? 256 << 10 : last) / 2)
    func rate(_ probe: granary_probe, bytes: Int? = nil) -> Double {
      best(probe, threads: threads, source: source, destination: destination, bytes: bytes)
    }
    let cachedRead = rate(GRANARY_READ, bytes: cached)
    return Ceilings(
      operationsPerSecond: operations(threads: threads), readBytesPerSecond: rate(GRANARY_READ),
      copyBytesPerSecond: rate(GRANARY_COPY),
      streamingCopyBytesPerSecond: rate(GRANARY_STREAMING_COPY),
      cachedReadBytesPerSecond: cachedRead)
  }

  /// A size that no cache keeps a useful part of, within what a machine can spare.
  private static func beyond(lastLevel: Int) -> Int { min(max(lastLevel * 3, 64 << 20), 512 << 20) }

  private static func operations(threads: Int32) -> [DType: Double] {
    let probes: [(DType, granary_probe)] = [
      (.f64, GRANARY_FMA_F64), (.f32, GRANARY_FMA_F32), (.bf16, GRANARY_DOT_BF16),
      (.i8, GRANARY_DOT_I8),
    ]
    var rates: [DType: Double] = [:]
    for (dtype, probe) in probes {
      let rate = (0..<6).map { _ in granary_probe_rate(probe, threads, 0.008, nil, nil, 0) }.max()
      if let rate, rate > 0 { rates[dtype] = rate }
    }
    return rates
  }

  private static func best(
    _ probe: granary_probe, threads: Int32, source: ProbeMemory, destination: ProbeMemory,
    bytes: Int?
  ) -> Double {
    guard let from = source.address, let to = destination.address else { return 0 }
    let bytes = min(bytes ?? source.bytes, source.bytes)
    let rates = (0..<5).map { _ in granary_probe_rate(probe, threads, 0.02, from, to, bytes) }
    return rates.max() ?? 0
  }
}

/// Memory for measurements, freed with its owner.
private final class ProbeMemory {
  let address: UnsafeMutableRawPointer?
  let bytes: Int

  init(bytes: Int, threads: Int32) {
    self.bytes = bytes
    address = granary_probe_memory(bytes, threads)
  }

  deinit { granary_probe_release(address, bytes) }
}
