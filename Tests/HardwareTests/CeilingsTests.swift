import Glibc
import Hardware
import KernelSpec
import TestSupport
import Testing

@Suite struct CeilingsTests {
  static let ceilings = Ceilings(
    operationsPerSecond: [.f32: 400e9, .f64: 200e9], read: curve(near: 100e9, far: 50e9),
    write: curve(near: 80e9, far: 20e9), copy: curve(near: 90e9, far: 40e9))

  /// A rate for 1 MB and one for 100 MB.
  static func curve(near: Double, far: Double) -> BandwidthCurve {
    BandwidthCurve([
      .init(workingSetBytes: 100e6, bytesPerSecond: far),
      .init(workingSetBytes: 1e6, bytesPerSecond: near),
    ])
  }

  @Test("arithmetic bounds a program with much of it, traffic one with little")
  func bounds() {
    let roofline = Roofline(ceilings: Self.ceilings)
    let heavy = Work(floatingPointOperations: 400e9, bytes: 1e9)
    #expect(roofline.seconds(for: heavy, dtype: .f32) == 1)
    #expect(roofline.seconds(for: heavy, dtype: .f64) == 2)
    let light = Work(floatingPointOperations: 1e9, bytes: 50e9)
    #expect(roofline.seconds(for: light, dtype: .f32) == 1)
    #expect(roofline.fraction(measured: 2, for: light, dtype: .f32) == 0.5)
  }

  @Test("traffic is bounded by the loops with the same reads and writes")
  func mixes() {
    let roofline = Roofline(ceilings: Self.ceilings)
    let seconds = { (read: Double, written: Double) in
      roofline.trafficSeconds(
        for: Work(floatingPointOperations: 0, bytes: read + written, bytesWritten: written))
    }
    #expect(seconds(50e9, 0) == 1)
    #expect(seconds(0, 20e9) == 1)
    #expect(seconds(20e9, 20e9) == 1)
    #expect(seconds(70e9, 20e9) == 2)
    #expect(seconds(20e9, 40e9) == 2)
  }

  @Test("a rate between two measurements lies between them, and one beyond is the nearest")
  func interpolation() {
    let curve = Self.curve(near: 100e9, far: 50e9)
    #expect(curve.bytesPerSecond(workingSet: 1) == 100e9)
    #expect(curve.bytesPerSecond(workingSet: 1e6) == 100e9)
    #expect(curve.bytesPerSecond(workingSet: 1e12) == 50e9)
    // Half way in the logarithm, half way in the time.
    #expect(abs(curve.bytesPerSecond(workingSet: 10e6) / (2e11 / 3) - 1) < 1e-9)
    #expect(BandwidthCurve([]).bytesPerSecond(workingSet: 1e6) == 0)
  }

  @Test("of two measurements the higher rate of each size counts")
  func raising() {
    let first = Self.curve(near: 100e9, far: 40e9)
    let second = Self.curve(near: 90e9, far: 50e9)
    #expect(first.raised(to: second) == Self.curve(near: 100e9, far: 50e9))
  }

  @Test("the bound never grows when there is less to move or the type becomes narrower")
  func monotone() {
    let roofline = Roofline(ceilings: Self.ceilings)
    var last = 0.0
    for bytes in [1e3, 1e6, 3e6, 30e6, 100e6, 1e9] {
      let work = Work(floatingPointOperations: 0, bytes: bytes, bytesWritten: bytes / 3)
      #expect(roofline.trafficSeconds(for: work) > last)
      last = roofline.trafficSeconds(for: work)
    }
    let work = Work(floatingPointOperations: 3e9, bytes: 7e9)
    #expect(
      roofline.arithmeticSeconds(for: work, dtype: .i8)
        < roofline.arithmeticSeconds(for: work, dtype: .i64))
  }

  @Test("ceilings that were kept are found again, by hardware")
  func file() throws {
    let folder = TemporaryFolder()
    let file = CeilingsFile(path: folder.file("ceilings.json"))
    let zen5 = try RecordedMachine.zen5.description().tuning
    let graviton = try RecordedMachine.graviton3.description().tuning
    #expect(file.ceilings(for: zen5) == nil)
    #expect(try file.ceilings(for: zen5, measuring: { Self.ceilings }) == Self.ceilings)
    #expect(file.ceilings(for: graviton) == nil)
    var other = Self.ceilings
    other.read = Self.curve(near: 1, far: 1)
    try file.keep(other, for: graviton)
    #expect(file.ceilings(for: zen5) == Self.ceilings)
    #expect(try file.ceilings(for: graviton, measuring: { Self.ceilings }) == other)
  }

  @Test("a damaged file holds nothing and is replaced")
  func damagedFile() throws {
    let folder = TemporaryFolder()
    let file = CeilingsFile(path: folder.file("ceilings.json"))
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
}
