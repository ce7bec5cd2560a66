import CodeGeneration
import Glibc
import KernelSpec
import Testing

/// Generated text, kept in files: a change of it shows as a difference in review.
///
/// `GRANARY_UPDATE_GOLDEN=1` writes the files anew.
@Suite struct GoldenTests {
  @Test(
    "generated C is what the golden files say",
    arguments: [
      Case("softmax", softmax(rows: 64, columns: 256)),
      Case("gated-bias", gatedBias(rows: 64, columns: 256)),
      Case("product", product(32, 64, 48)), Case("maximum-pool", maximumPool(4, 32, 32)),
      Case("running-sum", runningSum(rows: 16, columns: 100)),
      Case("embedding-bag", embeddingBag(bags: 16, size: 8, table: 100, width: 64)),
    ])
  func golden(_ example: Case) throws {
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let schedule = generator.space(for: example.program).defaultSchedule
    let text = try generator.source(for: example.program, schedule: schedule).text
    let path = folder + "/\(example.testDescription).c"
    if getenv("GRANARY_UPDATE_GOLDEN") != nil { try replace(path, with: text) }
    #expect(contents(path) == text)
  }

  private var folder: String {
    #filePath.split(separator: "/").dropLast().joined(separator: "/")
      .withLeadingSlash + "/Golden"
  }

  private func contents(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }

  private func replace(_ path: String, with text: String) throws {
    mkdir(folder, 0o755)
    guard let file = fopen(path, "w") else {
      throw HarnessError(description: "cannot write \(path)")
    }
    defer { fclose(file) }
    fputs(text, file)
  }
}

extension String {
  fileprivate var withLeadingSlash: String { "/" + self }
}
