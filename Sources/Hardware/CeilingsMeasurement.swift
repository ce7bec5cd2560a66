import CHardware
package import KernelSpec

/// Measures what this machine can do at best.
package enum CeilingsMeasurement {
  /// Measures arithmetic and memory with `threads` threads, in about 1.5 seconds on an idle machine.
  ///
  /// Each figure is the best of several short rounds, so a disturbance makes it wrong only if it lasts. Memory is
  /// measured with loops that kernels also use: with and without fetching ahead, with ordinary and with
  /// non-temporal stores; the fastest counts. With too little memory the rates are 0.
  ///
  /// - Parameter cacheBytes: as in `TuningIdentity`; those of this machine when absent.
  package static func measure(threads: Int, cacheBytes: [Int]? = nil) -> Ceilings {
    let cacheBytes = cacheBytes ?? (try? HardwareProbe.host())?.tuning.cacheBytes ?? []
    let threads = max(1, threads)
    let largest = beyond(lastLevel: cacheBytes.max() ?? 0)
    var ceilings = bandwidth(at: workingSets(upTo: largest, threads: threads), threads: threads)
    ceilings.operationsPerSecond = operations(threads: Int32(clamping: threads))
    return ceilings
  }

  /// The time in seconds that the traffic of `work` takes at best just now; in about 0.2 seconds.
  ///
  /// Memory and shared caches are as fast as neighbours leave them, by a factor of two from one minute to the
  /// next: the share of the ceiling that a kernel reaches means something beside a ceiling of the same moment.
  package static func trafficSeconds(for work: Work, threads: Int) -> Double {
    let size = Int(min(max(work.bytes, 4096), Double(largestProbe)))
    return Roofline(ceilings: bandwidth(at: [size], threads: max(1, threads)))
      .trafficSeconds(for: work)
  }

  /// Ceilings of memory alone.
  private static func bandwidth(at sizes: [Int], threads: Int) -> Ceilings {
    let largest = sizes.max() ?? 0
    let source = ProbeMemory(bytes: largest, threads: Int32(clamping: threads))
    let destination = ProbeMemory(bytes: largest, threads: Int32(clamping: threads))
    func curve(_ probes: [granary_probe], buffers: Int) -> BandwidthCurve {
      BandwidthCurve(
        sizes.map { size in
          let rates = probes.map {
            best($0, threads: threads, source, destination, bytes: size / buffers)
          }
          return .init(workingSetBytes: Double(size), bytesPerSecond: rates.max() ?? 0)
        })
    }
    return Ceilings(
      operationsPerSecond: [:],
      read: curve([GRANARY_READ, GRANARY_READ_AHEAD], buffers: 1),
      write: curve([GRANARY_WRITE, GRANARY_STREAMING_WRITE], buffers: 1),
      copy: curve([GRANARY_COPY, GRANARY_COPY_AHEAD, GRANARY_STREAMING_COPY], buffers: 2))
  }

  /// A size that no cache keeps a useful part of, within what a machine can spare.
  private static func beyond(lastLevel: Int) -> Int {
    min(max(lastLevel * 4, 128 << 20), largestProbe)
  }

  private static let largestProbe = 512 << 20

  /// From what fits in the first cache of each thread to memory, closer together where it matters more: near the
  /// sizes of shared caches.
  private static func workingSets(upTo largest: Int, threads: Int) -> [Int] {
    let own = [16 << 10, 256 << 10, 1 << 20].map { $0 * threads }
    let shared = (0...).lazy.map { (4 << 20) << $0 }.prefix { $0 < largest }
    return own.filter { $0 < 4 << 20 } + Array(shared) + [largest]
  }

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
    _ probe: granary_probe, threads: Int, _ source: ProbeMemory, _ destination: ProbeMemory,
    bytes: Int
  ) -> Double {
    guard let from = source.address, let to = destination.address else { return 0 }
    let threads = Int32(clamping: threads)
    let rates = (0..<4).map { _ in
      granary_probe_rate(probe, threads, 0.006, from, to, min(bytes, source.bytes))
    }
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
