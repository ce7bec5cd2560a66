import Commands
import KernelSpec
import Testing

@Suite("Swift sources of specs") struct SwiftSourceTests {
  private func source(_ spec: String) throws -> String {
    try SwiftSource(name: "f", origin: "f.granary.txt", checked: Spec.parse(spec).checked()).text
  }

  @Test("the function has the types of the tensors, and says how large they are")
  func types() throws {
    let text = try source("h = max(x: bf16[4,6], dim: 1); (h, h#1)")
    #expect(text.contains("  x: UnsafeBufferPointer<UInt16>,\n"))
    #expect(text.contains("  out0: UnsafeMutableBufferPointer<UInt16>,\n"))
    #expect(text.contains("  out1: UnsafeMutableBufferPointer<Int64>,\n"))
    #expect(text.contains("  x: [UInt16],\n"))
    #expect(text.contains(") throws(KernelFailure) -> (out0: [UInt16], out1: [Int64]) {\n"))
    #expect(text.contains("inputBytes: [48], outputBytes: [8, 32])"))
    #expect(text.contains("`bf16[4,6]`, 24 elements"))
  }

  @Test("a strided input has the size of its memory, and the spec is a literal on one line")
  func literal() throws {
    let text = try source("h = exp(x: f32[4,8]{16,1});\nadd(h, h)")
    #expect(text.contains("inputBytes: [224], outputBytes: [128])"))
    let lines = text.split(separator: "\n").filter { $0.contains("exp(x") }
    #expect(lines.count == 1 && lines[0].contains("#\""))
  }

  @Test("a name that is Swift's own is quoted", arguments: ["in", "self", "repeat"])
  func keywords(name: String) throws {
    let text = try source("exp(\(name): f32[4])")
    #expect(text.contains("  `\(name)`: [Float],\n") && text.contains("AlignedMemory(`\(name)`)"))
  }

  @Test("a name that a parameter cannot have is refused", arguments: ["out0", "fallback", "ran"])
  func names(name: String) {
    #expect(throws: (any Error).self) { try source("exp(\(name): f32[4])") }
  }
}
