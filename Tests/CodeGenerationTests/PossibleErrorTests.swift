import CodeGeneration
import KernelSpec
import TensorProgram
import Testing

/// The errors that the reference gives beside its values.
@Suite struct PossibleErrorTests {
  private func reference(_ spec: String, _ inputs: [Bytes]) throws -> (
    values: [Double], errors: [Float]
  ) {
    let program = try TensorProgram(lowering: try Spec.parse(spec).checked())
    let outputs = try run(ReferenceSource.make(for: program), inputs).outputs
    return (outputs[0].numbers(.f64), outputs[program.outputs.count].elements(Float.self))
  }

  @Test("what only moves and compares elements has no error")
  func exact() throws {
    let x = Bytes((0..<12).map { Float($0) - 5.3 })
    for spec in [
      "permute(x: f32[3,4], [1,0])", "relu(x: f32[12])", "amax(x: f32[3,4], dim: [1])",
      "neg(abs(x: f32[12]))", "where(gt(x: f32[12], 0), x, neg(x))",
    ] {
      #expect(try reference(spec, [x]).errors.allSatisfy { $0 == 0 }, "\(spec)")
    }
  }

  @Test("an error follows what cancels, not what is left")
  func cancellation() throws {
    let large = Bytes([Float](repeating: 1e6, count: 4))
    let y = Bytes([Float(1), 2, 3, 4])
    let sum = try reference("sub(add(x: f32[4], y: f32[4]), x)", [large, y])
    #expect(sum.values == [1, 2, 3, 4])
    #expect(sum.errors.allSatisfy { $0 > 0.1 && $0 < 10 })
    let direct = try reference("add(y: f32[4], y)", [y])
    #expect(direct.errors.allSatisfy { $0 > 0 && $0 < 1e-5 })
  }

  @Test("the error of a long sum is far below what 16-bit inputs would cost")
  func longSums() throws {
    let x = Bytes((0..<4096).map { Float($0 % 7) - 3 })
    let sum = try reference("sum(mul(x: f32[4096], x))", [x])
    #expect(Double(sum.errors[0]) > 1e-7 * sum.values[0])
    #expect(Double(sum.errors[0]) < 1e-5 * sum.values[0])
  }

  @Test("where a function saturates errors vanish, and where it is steep they grow")
  func steepness() throws {
    // 0.01 is left of two numbers near 1e4, whose sum is known to about 1e-3.
    let x = Bytes([Float(10000), 10000])
    let y = Bytes([Float(-9999.99), -9900])
    let result = try reference("tanh(mul(add(x: f32[2], y: f32[2]), 1.0))", [x, y])
    #expect(result.errors[0] > 1e-9)
    #expect(result.errors[1] < 1e-5)
  }

  @Test("a comparison that rounding decides may choose either branch")
  func comparisons() throws {
    let x = Bytes([Float(1), 1])
    let y = Bytes([Float(1e-9), 0.5])
    let spec = "where(gt(mul(exp(log(x: f32[2])), 1.0), add(x, y: f32[2])), 5.0, 7.0)"
    let result = try reference(spec, [x, y])
    #expect(result.values == [7, 7])
    #expect(result.errors[0] >= 2)
    #expect(result.errors[1] == 0)
  }

  @Test("a position among equals that rounding decides may be any of them")
  func positions() throws {
    let x = Bytes([Float(0.3), 0.3, 0.1, 0.9, 0.2, 0.1])
    let result = try reference("argmax(exp(x: f32[2,3]), dim: 1)", [x])
    #expect(result.errors[0] >= 1)
    #expect(result.errors[1] == 0)
    let direct = try reference("argmax(x: f32[2,3], dim: 1)", [x])
    #expect(direct.errors == [0, 0])
  }

  @Test("a value near the middle between two 16-bit numbers may become either")
  func rounding() throws {
    let x = Bytes([Float(1.00390625), 1.001])
    let spec = "mul(_to_copy(exp(log(x: f32[2])), dtype: bf16), 2.0)"
    let program = "_to_copy(\(spec), dtype: f32)"
    let result = try reference(program, [x])
    #expect(result.errors[0] > 0.01)
    #expect(result.errors[1] < 1e-5)
  }
}
