import ArgumentParser
import DaemonAPI
import KernelSpec
import Testing

@testable import Commands

@Suite struct SpecCommandTests {
  private func checked(_ text: String) throws -> SpecContent { try SpecContent(text) }

  @Test("check says what a spec takes and gives")
  func check() throws {
    let spec = try checked("h = exp(x: f32[4]); mul(h, 2)")
    #expect(SpecCheckCommand.line(spec) == "exp+mul: 2 nodes, (x: f32[4]) -> f32[4]")
    #expect(
      SpecCheckCommand.json([spec])
        == #"[{"name":"exp+mul","nodes":2,"inputs":[{"name":"x","type":"f32[4]"}],"#
        + #""outputs":["f32[4]"]}]"#)
  }

  @Test("each form that format prints reads as the same spec")
  func format() throws {
    let spec = try checked("softmax(x: f32[333,777], dim: -1)")
    for form in SpecFormatCommand.Form.allCases {
      let again = try checked(SpecFormatCommand.text(spec, form))
      #expect(again.canonicalText == spec.canonicalText)
    }
  }

  @Test("diff names the part that differs")
  func diff() throws {
    let one = try checked("relu(x: f32[4])").key(hardware: "h")
    let two = try checked("relu(x: f32[4]) with rtol: 1e-2").key(hardware: "h")
    #expect(SpecDiffCommand.report([], json: true) == #"{"equal":true,"parts":{}}"#)
    let report = SpecDiffCommand.report(one.differences(from: two), json: true)
    #expect(
      report
        == #"{"equal":false,"parts":{"numerics":["rtol=1e-05,atol=1e-06","rtol=0.01,atol=1e-06"]}}"#
    )
  }

  @Test("a bad spec is exit code 2 and says what, where and who")
  func failures() throws {
    let source = try SpecSource.one("relux(x: f32[4])")
    let failure = try #require(throws: ServiceError.self) { try source.checked() }
    #expect(CommandFailure.exitCode(of: failure) == 2)
    #expect(failure.message.hasPrefix("line 1, column 1: there is no operator"))
    #expect(failure.code.rawValue == "spec.operator")
    #expect(failure.who == .input)
    let missing = try #require(throws: ServiceError.self) { try SpecSource.read("no-such-file") }
    #expect(missing.code == .badSpec)
    #expect(CommandFailure.exitCode(of: missing) == 2)
  }

  @Test(
    "the specs of a text are found with the lines where they begin",
    arguments: [
      ("relu(x: f32[4])", [1]), ("# one\n\nrelu(x: f32[4])\nexp(x: f32[4])\n", [3, 4]),
      ("h = exp(x: f32[4]);\n# why\nmul(h,\n h)\nexp(x: f32[4])", [1, 5]),
      ("{\"a\":\n1}\n{}\n\n{}", [1, 3, 5]), ("[\"relu(x: f32[4])\",\n\n{}]", [1, 3]),
    ])
  func split(text: String, lines: [Int]) throws {
    let specs = try SpecList.split(Array(text.utf8))
    #expect(specs.map(\.line) == lines)
    if text.hasPrefix("h") { #expect(specs[0].text == "h = exp(x: f32[4]);\n\nmul(h,\n h)") }
  }

  @Test("a long text of open brackets takes time in proportion to its length")
  func longTexts() {
    let line = String(repeating: "(", count: 9) + "\n"
    #expect(SpecList.lines(String(repeating: line, count: 200_000)).count == 1)
  }

  @Test("the command line reads flags and several specs")
  func arguments() throws {
    let command = try SpecCommand.parseAsRoot(["check", "--json", "relu(x: f32[4])", "-"])
    let check = try #require(command as? SpecCheckCommand)
    #expect(check.connection.json)
    #expect(!check.deep)
    #expect(check.specs == ["relu(x: f32[4])", "-"])
    #expect(throws: (any Error).self) { try SpecCommand.parseAsRoot(["diff", "only-one"]) }
  }
}
