import KernelSpec
import TensorProgram
import Testing

@Suite("Agreement with PyTorch")
struct GoldenTests {
  @Test("every operator computes what PyTorch computes, and so does its fused program")
  func agreement() throws {
    var failures: [String] = []
    for golden in try GoldenCase.all() {
      do {
        if let problem = try problem(golden) { failures.append("\(golden.name): \(problem)") }
      } catch {
        failures.append("\(golden.name): \(error)")
      }
    }
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
        from: wanted, rtol: golden.rtol ?? 0, atol: golden.atol ?? 0)
      if let difference { return difference }
    }
    let others = [("simplified", program.simplified()), ("fused", program.fused().program)]
    for (label, other) in others {
      for (own, wanted) in zip(try ReferenceEvaluator(other).evaluate(inputs), exact) {
        if let difference = own.difference(from: wanted, rtol: 1e-9, atol: 1e-300) {
          return "\(label): \(difference)"
        }
      }
    }
    return nil
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
