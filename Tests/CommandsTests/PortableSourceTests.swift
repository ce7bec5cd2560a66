import Commands
import KernelSpec
import Testing

@Suite("Exported sources") struct PortableSourceTests {
  private let portable = PortableSource(
    name: "twice", inputs: ["x", "i"], specDigest: Digest(of: [1]), artifact: Digest(of: [2]),
    source: KernelSource(
      language: .c, text: "int32_t granary_entry(void);", compilerOptions: ["-O2", "-fwrapv"],
      interface: KernelInterface(
        entryPoint: "granary_entry",
        inputs: [TensorType(.bf16, [4, 2]), TensorType(.i64, [3])],
        outputs: [TensorType(.f32, [4]), TensorType(.bool, [])], inputDomains: [],
        workspaceBytes: 0, alignmentBytes: 16)))

  @Test("the header declares the tensors' types, and the fallback")
  func header() {
    #expect(
      portable.header.contains(
        "int32_t twice(const uint16_t *x, const int64_t *i, float *out0, uint8_t *out1);"))
    #expect(portable.header.contains("int32_t twice_portable(void *argument"))
  }

  @Test("the file says which spec it is for, and its names are its own")
  func text() {
    let lines = portable.text.split(separator: "\n").map(String.init)
    #expect(lines[1] == " * granary-spec: \(Digest(of: [1]))")
    #expect(lines[3] == " * granary-options: -O2 -fwrapv")
    #expect(lines.contains("#define granary_entry twice_kernel"))
    #expect(portable.text.contains("input_bytes[] = {16, 24, 0}"))
    #expect(portable.text.contains("output_bytes[] = {16, 1, 0}"))
  }

  @Test(
    "only names that C knows are taken",
    arguments: [("a_1", true), ("_x", true), ("1a", false), ("a-b", false), ("", false)])
  func identifiers(name: String, isGood: Bool) {
    #expect(PortableSource.isIdentifier(name) == isGood)
  }
}
