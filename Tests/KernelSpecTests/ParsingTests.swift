import KernelSpec
import Testing

/// The error of reading and checking `text`.
func specError(of text: String) -> SpecError? {
  do {
    _ = try Spec.parse(text).checked()
    return nil
  } catch {
    return error
  }
}

@Suite struct ParsingTests {
  @Test(
    "a fault in the JSON form is reported where it is",
    arguments: [
      ("{\"granary_spec\": 1,\n  \"inputs\": [}", 2, 14),
      ("{\"granary_spec\": 2}", 1, 18),
      ("{\"granary_spec\": 1, \"inputs\": [{\"name\": \"x\", \"type\": \"f33[4]\"}]}", 1, 54),
      ("{\"granary_spec\": 1, \"granary_spec\": 1}", 1, 21),
      ("{\"granary_spec\": 01}", 1, 18),
      ("{\"granary_spec\": 1} x", 1, 21),
      ("{\"a\": \"\\ud800\"}", 1, 8),
      ("{\"a\": 1e999}", 1, 7),
      ("{\"a\": 99999999999999999999}", 1, 7),
      ("{\n\n \"a\" 1}", 3, 6),
    ])
  func positions(text: String, line: Int, column: Int) {
    #expect(specError(of: text)?.position == .init(line: line, column: column))
  }

  @Test(
    "a fault in the text form is reported where it is",
    arguments: [
      ("relux(x: f32[4])", 1, 1, SpecError.Code.unknownOperator),
      ("relu(x: f32[4]", 1, 15, .syntax),
      ("relu(\n  x: f32[4,-1])", 2, 12, .syntax),
      ("relu(y)", 1, 1, .argument),
      ("add(x: f32[4], x: f32[5])", 1, 16, .name),
      ("relu(x: f32[4]) 3", 1, 17, .syntax),
      ("softmax(x: f32[4], dimm: 0)", 1, 1, .argument),
      ("relu(x: f32[1,1,1,1,1,1,1,1,1])", 1, 29, .limit),
      ("relu(x: f32[2000000000,2000000000])", 1, 9, .limit),
      ("", 1, 1, .syntax), ("$", 1, 1, .syntax), ("relu(x: f33[4])", 1, 9, .syntax),
      ("x: f33[4]; relu(x)", 1, 4, .syntax), ("mm(x: f32[2,3],\n exp(y: f32[2,3]))", 1, 1, .type),
      ("add(x: f32[4],\n amax(y: f32[4,4], 7))", 2, 2, .type),
      ("h = exp(x: f32[4]); (h,\n h#3)", 2, 2, .name),
    ])
  func textPositions(text: String, line: Int, column: Int, code: SpecError.Code) {
    let error = specError(of: text)
    #expect(
      error?.position == .init(line: line, column: column), "\(text): \(String(describing: error))")
    #expect(error?.code == code)
  }

  @Test("a dtype that does not exist is answered with those that do")
  func dtypes() throws {
    let error = try #require(specError(of: "relu(x: f33[4])"))
    #expect(error.message == "found 'f33'")
    #expect(error.expected?.contains("f32") == true)
  }

  @Test("an unknown operator is answered with near names")
  func suggestions() {
    #expect(specError(of: "soft_max(x: f32[4], 0)")?.expected?.contains("softmax") == true)
  }

  @Test("arguments that fit no overload are answered with all overloads")
  func overloads() throws {
    let error = try #require(specError(of: "max(x: f32[4], dim: \"a\")"))
    #expect(error.expected?.contains("aten.max.dim") == true)
    #expect(error.expected?.contains("aten.max.default") == true)
  }

  @Test("a fault found while checking names the node and where it is")
  func context() throws {
    let text = """
      {"granary_spec":1,"inputs":[{"name":"x","type":"f32[2,3]"}],"nodes":[
       {"id":"h","op":"aten.mm","args":{"self":"%x","mat2":"%x"}}],"outputs":["%h"]}
      """
    let error = try #require(specError(of: text))
    #expect(error.code == .type)
    #expect(error.message.contains("node h (aten.mm)"))
    #expect(error.position == .init(line: 2, column: 2))
  }

  @Test(
    "a name that is wrong is reported where it is used or given again",
    arguments: [
      ("[\n{\"id\":\"a\",\"op\":\"relu\",\"args\":{\"self\":\n\"%z\"}}]", "%a", 3, 1),
      ("[\n\n{\"id\":\"x\",\"op\":\"relu\",\"args\":{\"self\":\"%x\"}}]", "%x", 3, 1),
      ("[\n{\"id\":\"a\",\"op\":\"relu\",\"args\":{\"self\":\"%a\"}}]", "%a", 2, 1),
      ("[]\n", "%y", 2, 13),
    ])
  func names(nodes: String, output: String, line: Int, column: Int) {
    let text = """
      {"granary_spec":1,"inputs":[{"name":"x","type":"f32[4]"}],"nodes":\(nodes),\
      "outputs":["\(output)"]}
      """
    #expect(specError(of: text)?.position == .init(line: line, column: column))
  }

  @Test(
    "what no graph can mean is refused",
    arguments: [
      (#"[{"id":"a","op":"relu","args":{"self":"%a"}}]"#, "%a", SpecError.Code.name),
      (
        #"[{"id":"a","op":"relu","args":{"self":"%b"}},{"id":"b","op":"relu","args":{"self":"%a"}}]"#,
        "%a", .name
      ),
      (#"[{"id":"x","op":"relu","args":{"self":"%x"}}]"#, "%x", .name),
      ("[]", "%y", .name), ("[]", "%x#1", .name),
      (#"[{"id":"a","op":"relu","args":{}}]"#, "%a", .argument),
      (#"[{"id":"a","op":"relu","args":{"self":"%x","k":1}}]"#, "%a", .argument),
      (#"[{"id":"a","op":"relu","args":{"self":3}}]"#, "%a", .argument),
    ])
  func refused(nodes: String, output: String, code: SpecError.Code) {
    let text = """
      {"granary_spec":1,"inputs":[{"name":"x","type":"f32[4]"}],"nodes":\(nodes),\
      "outputs":["\(output)"]}
      """
    #expect(specError(of: text)?.code == code)
  }

  @Test(
    "one report names every fault, each with what is near, and nothing that only follows from one")
  func everyFault() {
    let text = """
      {"granary_spec":1,"inputs":[{"name":"x","type":"f32[4,4]"}],"nodes":[
      {"id":"a","op":"aten.linalg_svd.default","args":{"self":"%x"}},
      {"id":"b","op":"aten.bitwise_not.default","args":{"self":"%x"}},
      {"id":"c","op":"relu","args":{"self":"%b"}},
      {"id":"d","op":"rleu","args":{"self":"%x"}},
      {"id":"e","op":"mm","args":{"self":"%x","mat2":"%d"}}],"outputs":["%a","%c","%e"]}
      """
    let error = specError(of: text)
    #expect(error?.position?.line == 2)
    #expect(error?.others.map(\.position?.line) == [3, 5])
    #expect(error?.others.last?.expected == "relu")
    #expect(error?.description.split(separator: "\n").count == 3)
  }

  @Test("one report names every input with a type that there is not")
  func everyType() {
    let text = """
      {"granary_spec":1,"inputs":[{"name":"x","type":"c64[4]"},{"name":"y","type":"f32[4]"},
      {"name":"z","type":"f8[4]"}],"nodes":[],"outputs":["%y"]}
      """
    #expect(specError(of: text)?.others.map(\.position?.line) == [2])
  }

  @Test("nesting, sizes and names beyond the limits are refused")
  func limits() {
    let nested = String(repeating: "[", count: 100_000)
    #expect(specError(of: "{\"a\":\(nested)")?.code == .limit)
    #expect(specError(of: "cat(\(nested)")?.code == .limit)
    #expect(specError(of: String(repeating: "relu(", count: 100_000))?.code == .limit)
    let name = String(repeating: "x", count: 300)
    #expect(specError(of: "relu(\(name): f32[4])")?.code == .limit)
    #expect(specError(of: "relu(x: f64[2147483647,32])")?.code == .limit)
    #expect(specError(of: "relu(x: f32[4,4]{2147483647,1})") == nil)
    #expect(specError(of: "relu(x: f32[999999999]{2147483647})")?.code == .limit)
    #expect(specError(of: "view(x: f32[0], size: [2147483647,2147483647,2147483647,0,-1])") != nil)
  }

  @Test("bytes that are not UTF-8 are refused")
  func encoding() {
    #expect(throws: SpecError.self) { try Spec.parse(bytes: [0x7B, 0xFF]) }
  }

  @Test(
    "a type reads as it is written",
    arguments: ["f32[256,1024]", "i64[]", "f32[4,2]{1,4}", "bool[0]"])
  func types(text: String) throws {
    #expect(try TensorType(parsing: text).description == text)
  }

  @Test("the JSON form reads as the spec that wrote it")
  func formatting() throws {
    let spec = try Spec.parse(
      "h = linear(x: f32[2,3], w: f32[4,3]); (max(h, dim: -1)#1, clamp(h, min: -inf)) with rtol: 1e-3"
    )
    #expect(try Spec.parse(spec.formatJSON()) == spec)
  }

  @Test("operands without names keep their order")
  func order() throws {
    #expect(try Spec.parse("pow(x: f32[4], 2)").nodes[0].op == "aten.pow.Tensor_Scalar")
    #expect(try Spec.parse("pow(2, x: f32[4])").nodes[0].op == "aten.pow.Scalar")
    let difference = try Spec.parse("sub(1, x: f32[4])").nodes[0]
    #expect(difference.arguments["self"] == .integer(1))
    #expect(specError(of: "layer_norm(x: f32[4], w: f32[4], [4])") != nil)
  }

  @Test("a spec reads and checks in both forms", arguments: Samples.specs)
  func bothForms(text: String) throws {
    let spec = try Spec.parse(text)
    let checked = try spec.checked()
    #expect(try Spec.parse(spec.formatJSON()).checked().canonicalText == checked.canonicalText)
    #expect(try Spec.parse(checked.textForm).checked().canonicalText == checked.canonicalText)
    #expect(try Spec.parse(checked.canonicalText).checked().canonicalText == checked.canonicalText)
    #expect(
      try Spec.parse(checked.spec.formatJSON()).checked().canonicalText == checked.canonicalText)
  }
}
