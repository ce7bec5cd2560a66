import KernelSpec
import Testing

@Suite("Sanitizers", .enabled(if: SanitizedHost(compiler: "gcc") != nil))
struct SanitizedHostTests {
  @Test(
    "what a sanitizer finds fails the run", arguments: compilers,
    [
      ("y[0] = x[4];", "heap-buffer-overflow"), ("y[4] = x[0];", "heap-buffer-overflow"),
      ("y[0] = 1 << (int)(x[0] + 40);", "shift exponent"),
      ("y[0] = (int)(x[0] + 1e20f);", "outside"),
      ("*(float *)x = 1;", "changed an input"), ("y[0] = x[-1];", "use-after-poison"),
    ])
  func findings(_ compiler: String, _ example: (body: String, finding: String)) throws {
    let error = #expect(throws: HarnessError.self) {
      try run(kernel(example.body), [Bytes([Float](repeating: 0, count: 4))], compiler: compiler)
    }
    #expect(error?.description.contains(example.finding) == true, "\(error?.description ?? "")")
  }

  @Test("a kernel without faults gives its results", arguments: compilers)
  func results(_ compiler: String) throws {
    let source = kernel("for (int i = 0; i < 4; i++) y[i] = x[i];")
    let input = Bytes([Float](arrayLiteral: 1, 2, 3, 4))
    let (status, outputs) = try run(source, [input], compiler: compiler)
    #expect(status == 7)
    #expect(outputs == [input])
  }

  private func kernel(_ body: String) -> KernelSource {
    let type = TensorType(.f32, [4])
    return KernelSource(
      language: .c,
      text: """
        int run(const void *const *inputs, void *const *outputs, void *workspace, const void *context) {
          const float *x = inputs[0];
          float *y = outputs[0];
          \(body)
          return 7;
        }
        """,
      compilerOptions: ["-O1"],
      interface: KernelInterface(
        entryPoint: "run", inputs: [type], outputs: [type], inputDomains: [.any],
        workspaceBytes: 0, alignmentBytes: 64))
  }
}
