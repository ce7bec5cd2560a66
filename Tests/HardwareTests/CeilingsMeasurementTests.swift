import Hardware
import KernelSpec
import Testing

/// Rates of this machine, which other work on it would disturb: they run by themselves.
@Suite(.serialized) struct CeilingsMeasurementTests {
  @Test("a measurement of this machine gives plausible, finite rates")
  func measurement() throws {
    let host = try HardwareProbe.host().tuning
    let measured = CeilingsMeasurement.measure(threads: host.threads, cacheBytes: host.cacheBytes)
    let f32 = try #require(measured.operationsPerSecond[.f32])
    let f64 = try #require(measured.operationsPerSecond[.f64])
    // Even a loop that runs from memory at one operation a cycle is above these.
    #expect(f32 > 1e9 && f32 < 1e15)
    #expect(f64 > 0.5e9 && f64 < f32 * 1.5)
    for curve in [measured.read, measured.write, measured.copy] {
      #expect(curve.points.count > 3)
      for point in curve.points {
        #expect(point.bytesPerSecond > 1e8 && point.bytesPerSecond < 1e14)
      }
      #expect(curve.points.map(\.workingSetBytes) == curve.points.map(\.workingSetBytes).sorted())
    }
  }

  @Test("the traffic of a moment is measured for any mix and size, and there is none without bytes")
  func momentaryTraffic() {
    for (read, written) in [(4e6, 0.0), (0, 4e6), (4e6, 4e6), (1, 1)] {
      let work = Work(floatingPointOperations: 0, bytes: read + written, bytesWritten: written)
      let seconds = CeilingsMeasurement.trafficSeconds(for: work, threads: 1)
      #expect(seconds > work.bytes / 1e14 && seconds < work.bytes / 1e6)
    }
    let idle = Work(floatingPointOperations: 1e9, bytes: 0)
    #expect(CeilingsMeasurement.trafficSeconds(for: idle, threads: 1) == 0)
  }
}
