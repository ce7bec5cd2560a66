import ArgumentParser
import KernelSpec
import Testing

@testable import Commands

@Suite struct SpecCommandTests {
  private func checked(_ text: String) throws -> CheckedSpec { try Spec.parse(text).checked() }

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

  @Test("a key without hardware has no hardware part")
  func key() throws {
    let spec = try checked("relu(x: f32[4])")
    #expect(SpecKeyCommand.key(spec, hardware: nil)["hardware"] == nil)
    #expect(SpecKeyCommand.key(spec, hardware: "h") == KernelKey(spec: spec, hardware: "h"))
  }

  @Test("diff names the part that differs")
  func diff() throws {
    let one = SpecKeyCommand.key(try checked("relu(x: f32[4])"), hardware: nil)
    let two = SpecKeyCommand.key(try checked("relu(x: f32[4]) with rtol: 1e-2"), hardware: nil)
    #expect(SpecDiffCommand.report([], json: true) == #"{"equal":true,"parts":{}}"#)
    let report = SpecDiffCommand.report(one.differences(from: two), json: true)
    #expect(
      report
        == #"{"equal":false,"parts":{"numerics":["rtol=0.0001,atol=1e-05","rtol=0.01,atol=1e-05"]}}"#
    )
  }

  @Test("a bad spec is exit code 2, one line for people and one object for scripts")
  func failures() throws {
    let source = try #require(try LocalSpec.read("relux(x: f32[4])").first)
    let failure = try #require(throws: SpecFailure.self) { try source.checked() }
    #expect(failure.exitCode == 2)
    #expect(failure.report(json: false).hasPrefix("error: line 1, column 1: there is no operator"))
    #expect(failure.report(json: true).contains(#""code":"spec.operator""#))
    #expect(failure.report(json: true).hasSuffix(#""who":"input"}"#))
    let missing = try #require(throws: SpecFailure.self) { try LocalSpec.read("no-such-file") }
    #expect(missing.code == "file.unreadable")
    #expect(missing.exitCode == 2)
  }

  @Test("the command line reads flags and several specs")
  func arguments() throws {
    let command = try SpecCommand.parseAsRoot(["check", "--json", "relu(x: f32[4])", "-"])
    let check = try #require(command as? SpecCheckCommand)
    #expect(check.json)
    #expect(check.specs == ["relu(x: f32[4])", "-"])
    #expect(throws: (any Error).self) { try SpecCommand.parseAsRoot(["diff", "only-one"]) }
  }
}
