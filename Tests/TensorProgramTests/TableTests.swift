import FoundationEssentials
import KernelSpec
import TensorProgram
import Testing

@Suite("Lowering table")
struct TableTests {
  /// Where a folder or file of specs lies, one a line, that all must lower.
  private static let specs = ProcessInfo.processInfo.environment["GRANARY_KERNELBENCH_SPECS"]

  @Test("every operator that checking leaves in a graph has a lowering, and nothing else has one")
  func tablesAgree() {
    let primitives = OperatorTable.operators.values.joined().filter(\.isPrimitive)
    let names = Set(primitives.map(\.schema.fullName))
    #expect(names.subtracting(LoweringTable.names).sorted() == [])
    #expect(LoweringTable.names.subtracting(names).sorted() == [])
  }

  @Test("every spec of a given collection lowers and fuses", .enabled(if: specs != nil))
  func collection() throws {
    let place = try #require(Self.specs)
    var isFolder = false
    try #require(FileManager.default.fileExists(atPath: place, isDirectory: &isFolder))
    let files =
      isFolder
      ? try FileManager.default.contentsOfDirectory(atPath: place).sorted()
        .filter { $0.hasSuffix(".jsonl") }.map { "\(place)/\($0)" } : [place]
    var count = 0
    for file in files {
      let text = String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
      for line in text.split(separator: "\n") {
        count += 1
        #expect(throws: Never.self, "line \(count): \(line.prefix(80))") {
          let program = try TensorProgram(lowering: try Spec.parse(String(line)).checked())
          #expect(!program.fused().kernels.isEmpty)
        }
      }
    }
    #expect(count > 0)
  }
}
