import GoldenCases
import KernelSpec
import TensorProgram
import Testing

@Suite("Agreement with PyTorch")
struct GoldenTests {
  @Test("every operator computes what PyTorch computes, and so does its fused program")
  func agreement() throws {
    let failures = GoldenCase.problems(among: try GoldenCase.all(), problem)
    #expect(failures.isEmpty, "\(failures.count) cases:\n\(failures.joined(separator: "\n"))")
  }

  /// What is wrong with a case, in words.
  private func problem(_ golden: GoldenCase) throws -> String? {
    guard golden.refused != true else {
      return (try? Spec.parse(golden.spec).checked()) == nil ? nil : "it was not refused"
    }
    let checked = try Spec.parse(golden.spec).checked()
    let program = try TensorProgram(lowering: checked)
    let inputs = try golden.inputValues(checked)
    let exact = try ReferenceEvaluator(program).evaluate(inputs)
    let expected = try golden.expectations()
    guard exact.count == expected.count else { return "\(exact.count) outputs" }
    for (own, wanted) in zip(exact, expected) {
      let difference = own.rounded.difference(
        from: wanted, rtol: golden.rtol ?? 0, atol: golden.atol ?? 0,
        anyZero: golden.anyZero ?? false)
      if let difference { return difference }
    }
    let simplified = try ReferenceEvaluator(program.simplified()).evaluate(inputs)
    if let difference = difference(simplified, exact) { return "simplified: \(difference)" }
    let fused = try ReferenceEvaluator(program.fused().program).evaluate(inputs)
    return difference(fused, exact).map { "fused: \($0)" }
  }

  private func difference(
    _ values: [TensorValue], _ wanted: [TensorValue], rtol: Double = 1e-9, atol: Double = 1e-300
  ) -> String? {
    zip(values, wanted).lazy.compactMap { $0.difference(from: $1, rtol: rtol, atol: atol) }.first
  }

  @Test("cases cover every overload of the operator table")
  func coverage() throws {
    var used: Set<String> = []
    for golden in try GoldenCase.all() where golden.refused != true {
      for node in try Spec.parse(golden.spec).nodes { used.insert(node.op) }
    }
    #expect(Set(OperatorTable.names).subtracting(used).sorted() == [])
  }
}
