import KernelSpec
import TestSupport
import Testing

@Suite struct SpecFuzzTests {
  @Test(
    "no text stops the parser, and the canonical form of what it takes is its own canonical form")
  func specs() throws {
    var fuzzing = try Fuzzing(
      "spec",
      tokens: [
        "relu(", "f32[", "]", ")", "x: ", " = ", "aten.", "->", "{\"granary_spec\":1",
        "\"nodes\":[",
        "\"%a\"", "18446744073709551616", "-1", "1e999", "\\u0000", "rtol=", "\n", "[[[[[[[[",
      ])
    try fuzzing.run(rounds: 2000) { input in
      let text = String(decoding: input, as: UTF8.self)
      do {
        let spec = try Spec.parse(text).checked()
        let again = try Spec.parse(spec.canonicalText).checked()
        #expect(again.canonicalText == spec.canonicalText, "\(text)")
        return "spec"
      } catch let error as SpecError {
        return error.code.rawValue + String(error.message.prefix(12))
      }
    }
  }
}
