import Glibc
import Hardware
import KernelSpec
import Testing

@Suite struct CeilingsTests {
  static let ceilings = Ceilings(
    operationsPerSecond: [.f32: 400e9, .f64: 200e9], readBytesPerSecond: 40e9,
    copyBytesPerSecond: 30e9, streamingCopyBytesPerSecond: 50e9, cachedReadBytesPerSecond: 100e9)

  @Test("a measurement of this machine gives plausible, finite rates")
  func measurement() throws {
    let host = try HardwareProbe.host().tuning
    let measured = CeilingsMeasurement.measure(threads: host.threads, cacheBytes: host.cacheBytes)
    let f32 = try #require(measured.operationsPerSecond[.f32])
    let f64 = try #require(measured.operationsPerSecond[.f64])
    // Even a loop that runs from memory at one operation a cycle is above these.
    #expect(f32 > 1e9 && f32 < 1e15)
    #expect(f64 > 0.5e9 && f64 < f32 * 1.5)
    for rate in [
      measured.readBytesPerSecond, measured.copyBytesPerSecond,
      measured.streamingCopyBytesPerSecond, measured.cachedReadBytesPerSecond,
    ] {
      #expect(rate > 1e8 && rate < 1e14)
    }
  }

  @Test("arithmetic bounds a program with much of it, traffic one with little")
  func bounds() {
    let roofline = Roofline(ceilings: Self.ceilings)
    let heavy = Work(floatingPointOperations: 400e9, bytes: 1e9)
    #expect(roofline.seconds(for: heavy, dtype: .f32, residence: .memory) == 1)
    #expect(roofline.seconds(for: heavy, dtype: .f64, residence: .memory) == 2)
    let light = Work(floatingPointOperations: 1e9, bytes: 50e9)
    #expect(roofline.seconds(for: light, dtype: .f32, residence: .memory) == 1)
    #expect(roofline.seconds(for: light, dtype: .f32, residence: .lastLevelCache) == 0.5)
    #expect(
      roofline.fraction(measured: 2, for: light, dtype: .f32, residence: .memory) == 0.5)
  }

  @Test("the bound never grows when data moves nearer or the type becomes narrower")
  func monotone() {
    let roofline = Roofline(ceilings: Self.ceilings)
    let work = Work(floatingPointOperations: 3e9, bytes: 7e9)
    for dtype in DType.allCases {
      let near = roofline.seconds(for: work, dtype: dtype, residence: .coreCaches)
      let shared = roofline.seconds(for: work, dtype: dtype, residence: .lastLevelCache)
      let far = roofline.seconds(for: work, dtype: dtype, residence: .memory)
      #expect(near <= shared && shared <= far)
    }
    #expect(
      roofline.arithmeticSeconds(for: work, dtype: .i8)
        < roofline.arithmeticSeconds(for: work, dtype: .i64))
  }

  @Test("residence follows the sizes of the caches")
  func residence() throws {
    let hardware = try RecordedMachine.zen5.description().tuning
    #expect(Roofline.Residence(of: 1e6, on: hardware) == .coreCaches)
    #expect(Roofline.Residence(of: 16e6, on: hardware) == .lastLevelCache)
    #expect(Roofline.Residence(of: 100e6, on: hardware) == .memory)
  }

  @Test("ceilings that were kept are found again, by hardware")
  func file() throws {
    let file = CeilingsFile(path: temporaryPath())
    defer { unlink(file.path) }
    let zen5 = try RecordedMachine.zen5.description().tuning
    let graviton = try RecordedMachine.graviton3.description().tuning
    #expect(file.ceilings(for: zen5) == nil)
    #expect(try file.ceilings(for: zen5, measuring: { Self.ceilings }) == Self.ceilings)
    #expect(file.ceilings(for: graviton) == nil)
    var other = Self.ceilings
    other.readBytesPerSecond = 1
    try file.keep(other, for: graviton)
    #expect(file.ceilings(for: zen5) == Self.ceilings)
    #expect(try file.ceilings(for: graviton, measuring: { Self.ceilings }) == other)
  }

  @Test("a damaged file holds nothing and is replaced")
  func damagedFile() throws {
    let file = CeilingsFile(path: temporaryPath())
    defer { unlink(file.path) }
    let stream = try #require(fopen(file.path, "w"))
    fputs("{\"half", stream)
    fclose(stream)
    let zen5 = try RecordedMachine.zen5.description().tuning
    #expect(file.ceilings(for: zen5) == nil)
    try file.keep(Self.ceilings, for: zen5)
    #expect(file.ceilings(for: zen5) == Self.ceilings)
  }

  @Test("a file that cannot be written is an error")
  func unwritable() throws {
    let file = CeilingsFile(path: "/proc/none/ceilings.json")
    let zen5 = try RecordedMachine.zen5.description().tuning
    #expect(throws: CeilingsFileError.self) { try file.keep(Self.ceilings, for: zen5) }
  }

  private func temporaryPath() -> String {
    "/tmp/granary-ceilings-\(getpid())-\(UInt64.random(in: 0 ... .max)).json"
  }
}
