import Hardware
import KernelSpec
import Support
import TestSupport
import Testing

@testable import Knowledge

@Suite struct CostRecordsTests {
  private let folder = TemporaryFolder()
  private let kind = CostKind(structure: "contraction,loop-nest", hardware: hardware)
  private static let hardware = KnowledgeBaseTests.zen5.tuning

  private func records(version: String = "1") -> CostRecords {
    CostRecords(directory: folder.path + "/costs", version: version)
  }

  private func sample(_ number: Int) -> CostSample {
    CostSample(
      features: ["number": Float(number), number.isMultiple(of: 2) ? "even" : "odd": 1],
      gain: Float(number) / 1024)
  }

  @Test("samples come back as they were kept, oldest first, also those with other features")
  func kept() throws {
    try records().add((0..<5).map(sample), to: kind)
    try records().add([sample(5)], to: kind)
    #expect(records().samples(of: kind) == (0..<6).map(sample))
  }

  @Test("of more samples than are kept the oldest go")
  func bounded() throws {
    try records().add((0..<CostRecords.most).map(sample), to: kind)
    try records().add([sample(CostRecords.most)], to: kind)
    #expect(records().samples(of: kind) == (1...CostRecords.most).map(sample))
  }

  @Test("kinds of programs and of hardware are kept apart")
  func kinds() throws {
    try records().add([sample(1)], to: kind)
    var hardware = Self.hardware
    hardware.threads += 1
    for other in [
      CostKind(structure: "reduction", hardware: Self.hardware),
      CostKind(structure: "contraction,loop-nest", hardware: hardware),
    ] {
      #expect(records().samples(of: other).isEmpty)
    }
  }

  @Test("what another version kept is ignored, and replaced")
  func versions() throws {
    try records(version: "1").add([sample(1)], to: kind)
    #expect(records(version: "2").samples(of: kind).isEmpty)
    try records(version: "2").add([sample(2)], to: kind)
    #expect(records(version: "2").samples(of: kind) == [sample(2)])
    #expect(records(version: "1").samples(of: kind).isEmpty)
  }

  @Test("a garbled file holds nothing, and the next search replaces it")
  func garbled() throws {
    try records().add((0..<4).map(sample), to: kind)
    let files = LocalFileSystem()
    let path = folder.path + "/costs/\(kind.fileName).json"
    let whole = try #require(try files.read(path, limitBytes: 1 << 20))
    var random = SeededRandom(seed: 11)
    for _ in 0..<200 {
      var bytes = Array(whole.prefix(Int(random.next() % UInt64(whole.count + 1))))
      if !bytes.isEmpty {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      try files.write(bytes, atomicallyTo: path)
      // Whatever is still read must be of use.
      for sample in records().samples(of: kind) { #expect(sample.gain.isFinite) }
    }
    try files.write([0xFF, 0x00], atomicallyTo: path)
    #expect(records().samples(of: kind).isEmpty)
    try records().add([sample(7)], to: kind)
    #expect(records().samples(of: kind) == [sample(7)])
  }
}
